# Spoils deploy/alerts/docket.rules.yaml: an alarm that comes ten times too early.
s/docket_parked_oldest_age_seconds) > 900/docket_parked_oldest_age_seconds) > 90/
