# Spoils deploy/alerts/docket.rules.yaml: of a log that nobody tells of, the figures of the others are taken for its own.
s/absent(docket_relay_lag_seconds{log="payments"})/absent(docket_relay_lag_seconds)/
