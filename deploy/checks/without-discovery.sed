# Leaves the discovery by Kubernetes out of deploy/alerts/prometheus.yaml, for a promtool that was built without it.
/kubernetes_sd_configs:/,/names:/d
