"""Receives OTLP over HTTP and decodes it with the messages that OpenTelemetry publishes for Python.

Prints its port, then each request as one line of JSON, behind its content type. Of the first request it refuses two points.
"""

import http.server
import sys
import threading

from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as service

requests = 0


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        global requests
        requests += 1
        request = service.ExportMetricsServiceRequest()
        request.ParseFromString(self.rfile.read(int(self.headers["Content-Length"])))
        unknown = request.SerializeToString(deterministic=True)
        request.DiscardUnknownFields()
        assert unknown == request.SerializeToString(deterministic=True), "unknown fields"
        print(self.path, self.headers["Content-Type"], MessageToJson(request, indent=None), flush=True)
        answer = service.ExportMetricsServiceResponse()
        if requests == 1:
            answer.partial_success.rejected_data_points = 2
            answer.partial_success.error_message = "too old"
        body = answer.SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()  # until whoever started it goes away
