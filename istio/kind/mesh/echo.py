"""A service that answers with the request as it came: every copy of every header, in its order.

usage: echo.py NAME PORT. The answer's header `x-echo` has the NAME: no proxy gives such an answer.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME = sys.argv[1]


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_any(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = [[name.lower(), value] for name, value in self.headers.items()]
        body = json.dumps({"method": self.command, "path": self.path, "headers": headers}).encode()
        self.send_response(200)
        self.send_header("x-echo", NAME)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_DELETE = do_PATCH = do_POST = do_PUT = do_any


ThreadingHTTPServer(("", int(sys.argv[2])), Echo).serve_forever()
