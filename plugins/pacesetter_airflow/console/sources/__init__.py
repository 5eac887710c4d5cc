"""What the page is made of, a module a source. Each may raise whatever its library raises."""
