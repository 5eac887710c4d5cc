"""The page of the mail, where the values come from files, forms and other people."""

from types import SimpleNamespace

from pacesetter_airflow.mail import LONGEST_REASON, body


def test_what_a_job_said_is_text_and_no_html() -> None:
    page = body("d.t failed", "title '<script>x</script>' & {{ params }}", {"params": {"date": "<b>"}})
    assert "&lt;script&gt;x&lt;/script&gt;" in page
    assert "{{ params }}" in page
    assert "<script>" not in page
    assert "<b>" not in page


def test_the_mail_names_run_attempt_and_log() -> None:
    ti = SimpleNamespace(try_number=3, max_tries=2, log_url="http://127.0.0.1:8080/dags/d?a=1&b=2")
    page = body("d.t failed", "why", {"ti": ti, "run_id": "r1", "task": SimpleNamespace(doc_md="Mend the file.")})
    assert "<td>r1</td>" in page
    assert "<td>3 of at most 3</td>" in page
    assert '<a href="http://127.0.0.1:8080/dags/d?a=1&amp;b=2">' in page
    assert "<p>Mend the file.</p>" in page


def test_of_a_long_output_the_end_is_mailed() -> None:
    page = body("d.t failed", "start" + "x" * LONGEST_REASON + "the end", {})
    assert "the end</pre>" in page
    assert "start" not in page
