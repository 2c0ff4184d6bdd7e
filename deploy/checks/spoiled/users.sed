# Spoils deploy/nats/users.conf: filing may write into the log of payments.
s|"docket.filing.>"|"docket.filing.>", "docket.payments.>"|
