"""Prometheus itself reads what a running program tells: scraped, asked back, and checked by promtool."""
import contextlib
import json
import re
import subprocess
import urllib.parse
import urllib.request

import pytest

from harness import HOST, PATIENCE, free_ports, virtual_service, wait_until

PAGE = "/stats/prometheus"
DEAD_PORT = free_ports(1)[0]
# A route to a service at whose port nobody listens.
BROKEN_RULE = """
    - match:
        - uri:
            prefix: /broken
      route:
        - destination:
            host: broken"""
BROKEN_SERVICE = f"""apiVersion: v1
kind: Service
metadata: {{ name: broken, namespace: hedgus }}
spec:
  ports: [ {{ name: http, port: 80, targetPort: {DEAD_PORT} }} ]
---
apiVersion: v1
kind: Endpoints
metadata: {{ name: broken, namespace: hedgus }}
subsets:
  - addresses: [ {{ ip: 127.0.0.1 }} ]
    ports: [ {{ name: http, port: {DEAD_PORT} }} ]
"""
# What promtool says of names that Istio and Envoy have fixed, and nothing else.
FIXED_NAMES = {
    "envoy_server_days_until_first_cert_expiring": 'use base unit "seconds" instead of "days"',
    "istio_request_duration_milliseconds": 'use base unit "seconds" instead of "milliseconds"',
    **dict.fromkeys([
        "envoy_cluster_upstream_cx_connect_fail", "envoy_cluster_upstream_cx_overflow", "envoy_cluster_upstream_rq",
        "envoy_cluster_upstream_rq_pending_overflow", "envoy_cluster_upstream_rq_retry",
        "envoy_cluster_upstream_rq_retry_overflow", "envoy_http_downstream_cx_protocol_error",
        "envoy_http_downstream_rq_timeout", "envoy_listener_downstream_cx_overflow", "envoy_listener_http_downstream_rq",
        "envoy_listener_http_downstream_rq_xx", "envoy_listener_ssl_connection_error", "envoy_listener_ssl_handshake",
        "envoy_cluster_http2_rx_reset", "envoy_cluster_upstream_cx_protocol_error", "envoy_http2_goaway_sent",
        "envoy_http2_header_overflow", "envoy_http2_inbound_empty_frames_flood",
        "envoy_http2_inbound_priority_frames_flood", "envoy_http2_inbound_window_update_frames_flood",
        "envoy_http2_outbound_control_flood", "envoy_http2_rx_messaging_error", "envoy_http2_rx_reset",
        "envoy_http_downstream_rq_overload_close", "envoy_listener_downstream_cx_overload_reject",
        "envoy_http2_trailers", "envoy_http2_tx_reset", "envoy_listener_downstream_global_cx_overflow",
    ], 'counter metrics should have "_total" suffix'),
}


class Prometheus:
    """A Prometheus of the test's own that scrapes one target every two seconds."""

    def __init__(self, folder, target_port):
        self.port = free_ports(1)[0]
        config = folder / "prometheus.yml"
        config.write_text(json.dumps({"scrape_configs": [{
            "job_name": "lateen", "scrape_interval": "2s", "scrape_timeout": "2s", "metrics_path": PAGE,
            "static_configs": [{"targets": [f"127.0.0.1:{target_port}"]}]}]}))
        self.log = open(folder / "prometheus.log", "wb")
        self.process = subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/tsdb",
                                         f"--web.listen-address=127.0.0.1:{self.port}"],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def api(self, path, **params):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(params)}"
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return json.load(answer)["data"]
        return None

    def health(self):
        """("up", "") once a scrape was understood."""
        targets = (self.api("targets") or {}).get("activeTargets", [])
        return (targets[0]["health"], targets[0]["lastError"]) if targets else None

    def series(self, query):
        """[(labels, value)] of an instant query."""
        found = (self.api("query", query=query) or {}).get("result", [])
        return [(entry["metric"], float(entry["value"][1])) for entry in found]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.wait()
            self.log.close()


@pytest.fixture
def prometheus(tmp_path):
    started = []

    def start(port):
        started.append(Prometheus(tmp_path, port))
        return started[-1]

    yield start
    for each in started:
        each.stop()


def curl_h2(lateen, path):
    subprocess.run(["curl", "-s", "-o", "/dev/null", "--http2-prior-knowledge", "-H", f"Host: {HOST}",
                    f"http://127.0.0.1:{lateen.ports[80]}{path}"], check=True, timeout=PATIENCE)


def ask_everything(lateen):
    """Requests of all kinds: 12 of them reach a backend that answers, one finds nobody, one no route."""
    with contextlib.closing(lateen.client()) as client:
        for status in (200, 302, 404, 503):
            assert client.get(f"/?status={status}").status == status
            assert client.get(f"/?status={status}").status == status
    for status in (200, 302, 404, 503):
        curl_h2(lateen, f"/?status={status}")
    assert lateen.get("/broken").status == 503
    assert lateen.get("/", host="nobody.test").status == 404


def listener_responses(prometheus):
    return {labels["response_code_class"]: value
            for labels, value in prometheus.series("envoy_listener_http_downstream_rq")}


def test_prometheus_scrapes_requests_of_all_kinds(manifests, start, prometheus):
    manifests.write("5-virtual-service.yaml", virtual_service({"v1": 100, "v2": 0}, BROKEN_RULE))
    manifests.write("8-broken.yaml", BROKEN_SERVICE)
    lateen = start()
    asked = prometheus(lateen.metrics_port)
    ask_everything(lateen)
    wait_until("the target is up", lambda: asked.health() == ("up", ""))
    want = {"1xx": 0, "2xx": 3, "3xx": 3, "4xx": 4, "5xx": 4}
    wait_until("14 responses are known", lambda: listener_responses(asked) == want)

    requests = asked.series('istio_requests_total{destination_version="v1"}')
    assert {(labels["response_code"], value) for labels, value in requests} == {
        ("200", 3), ("302", 3), ("404", 3), ("503", 3)}
    common = requests[0][0]
    for label, value in {
            "reporter": "source", "source_workload": "unknown", "destination_workload": "hedgus-app-v1",
            "destination_workload_namespace": "hedgus", "destination_app": "hedgus-app",
            "destination_canonical_service": "hedgus-app", "destination_canonical_revision": "v1",
            "destination_service": "hedgus-app.hedgus.svc.cluster.local", "destination_service_name": "hedgus-app",
            "destination_service_namespace": "hedgus", "request_protocol": "http", "response_flags": "-",
            "connection_security_policy": "unknown", "job": "lateen"}.items():
        assert common[label] == value, (label, common)
    (failed, count), = asked.series('istio_requests_total{response_flags=~".*UF.*"}')
    assert (failed["response_code"], failed["destination_service_name"], count) == ("503", "broken", 1)
    (unrouted, count), = asked.series('istio_requests_total{response_flags="NR"}')
    assert (unrouted["response_code"], unrouted["destination_service"], count) == ("404", "unknown", 1)

    quantile = asked.series("histogram_quantile(0.99, sum by (le) (istio_request_duration_milliseconds_bucket))")
    assert 0 < quantile[0][1] <= 3600000
    v1 = 'cluster_name="outbound|80|v1|hedgus-app.hedgus.svc.cluster.local"'
    for query, value in {
            'sum(istio_request_duration_milliseconds_count)': 14, 'sum(istio_response_bytes_count)': 14,
            'count(istio_request_bytes_bucket{destination_version="v1",response_code="200"})': 20,
            f'envoy_cluster_upstream_rq_total{{{v1}}}': 12,
            f'sum(envoy_cluster_upstream_rq{{{v1}}})': 12,
            f'envoy_cluster_upstream_rq{{{v1},response_code_class="5xx"}}': 3,
            'sum(envoy_http_downstream_rq_total)': 14, 'sum(envoy_listener_http_downstream_rq_xx)': 14,
            'envoy_server_live': 1, 'istio_build{component="proxy"}': 1}.items():
        assert [found for _, found in asked.series(query)] == [value], query
    broken = 'cluster_name="outbound|80||broken.hedgus.svc.cluster.local"'
    assert asked.series(f'envoy_cluster_upstream_cx_connect_fail{{{broken}}}')[0][1] >= 1
    for name in ("envoy_cluster_upstream_cx_active", "envoy_listener_downstream_cx_active",
                 "envoy_server_memory_allocated", "envoy_server_memory_heap_size", "process_resident_memory_bytes"):
        assert sum(value for _, value in asked.series(name)) >= 0 and asked.series(name), name


def openmetrics(lateen):
    url = f"http://127.0.0.1:{lateen.metrics_port}{PAGE}"
    ask = urllib.request.Request(url, headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    with urllib.request.urlopen(ask, timeout=PATIENCE) as answer:
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
        return answer.read().decode()


def test_promtool_reports_only_names_that_istio_and_envoy_fix(manifests, start, tmp_path):
    manifests.write("5-virtual-service.yaml", virtual_service({"v1": 100, "v2": 0}, BROKEN_RULE))
    manifests.write("8-broken.yaml", BROKEN_SERVICE)
    lateen = start()
    ask_everything(lateen)
    text = lateen.admin(PAGE, port=lateen.metrics_port).text
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=PATIENCE,
                          check=False)
    said = dict(line.split(" ", 1) for line in done.stderr.splitlines())
    assert {name: what for name, what in said.items() if FIXED_NAMES.get(name) != what} == {}, done.stderr

    # promtool's checks read the text form alone, so its reader of OpenMetrics, which wants times, reads the other.
    text = openmetrics(lateen)
    timed = re.sub(r"^([^#\n].*)$", r"\1 1700000000", text, flags=re.M)
    (tmp_path / "openmetrics").write_text(timed)
    done = subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", tmp_path / "openmetrics",
                           tmp_path / "blocks"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    helped = set(re.findall(r"^# HELP (\S+) \S", text, re.M))
    assert helped == set(re.findall(r"^# TYPE (\S+) ", text, re.M)) and len(helped) > 35
