# Spoils deploy/nats/users.conf: filing may not take what identity's stream has for it.
/CONSUMER.MSG.NEXT.identity.filing/d
