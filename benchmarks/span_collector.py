"""`python -m benchmarks.span_collector HOST PORT` takes OpenTelemetry's spans over HTTP, and forgets them."""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Taker(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *of: object) -> None: ...


if __name__ == "__main__":
    HTTPServer((sys.argv[1], int(sys.argv[2])), Taker).serve_forever()
