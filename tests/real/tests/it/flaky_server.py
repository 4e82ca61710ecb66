"""A webhook server with the faults of real ones. Prints its port, then the idempotency key of each request that it has read whole.

Of every five requests the second is refused for a moment (503), the fourth is read but never answered: its connection is cut.
"""

import http.server
import sys
import threading

count = 0
lock = threading.Lock()


class Webhook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        global count
        self.rfile.read(int(self.headers["Content-Length"]))
        with lock:
            count += 1
            turn = count % 5
            if turn != 2:
                print(self.headers["Idempotency-Key"], flush=True)
        if turn == 4:
            self.close_connection = True
            return
        self.send_response(503 if turn == 2 else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()  # until whoever started it goes away
