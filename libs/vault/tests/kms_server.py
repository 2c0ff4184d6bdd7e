"""AWS KMS as moto plays it, for the tests of the vault: two keys, and a user who may wrap and unwrap.

Prints one line of JSON: endpoint, the ARNs of both keys, and the user's credentials. From then on every call is checked:
its signature and the user's permissions. Then takes one command a line and answers each with a line of JSON:

    decrypt CIPHERTEXT CONTEXT    what boto3, as the account's owner, makes of it (base64 and JSON)
    forbid                        takes the user's permissions away
    permit                        gives them back

Ends when its input ends, so that it never outlives the test.
"""

import base64
import json
import sys

import boto3
import requests
from moto.server import ThreadedMotoServer


def policy(effect, *actions):
    statement = {"Effect": effect, "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def main():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"

    def client(service, access, secret):
        return boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=endpoint,
            aws_access_key_id=access,
            aws_secret_access_key=secret,
        )

    def say(**answer):
        print(json.dumps(answer), flush=True)

    iam, kms = client("iam", "first", "first"), client("kms", "first", "first")
    made = {}
    for name in ("service", "owner"):
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        made[name] = (key["AccessKeyId"], key["SecretAccessKey"])
    iam.put_user_policy(UserName="owner", PolicyName="all", PolicyDocument=policy("Allow", "*"))
    arn, other = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))

    def permissions(effect):
        client("iam", *made["owner"]).put_user_policy(
            UserName="service", PolicyName="use", PolicyDocument=policy(effect, "kms:Encrypt", "kms:Decrypt")
        )

    permissions("Allow")
    requests.post(f"{endpoint}/moto-api/reset-auth", data=b"0", timeout=10).raise_for_status()
    say(endpoint=endpoint, arn=arn, other=other, access=made["service"][0], secret=made["service"][1])

    for line in sys.stdin:
        command = line.split(" ", 2)
        verb = command[0].strip()
        if verb == "decrypt":
            answer = client("kms", *made["owner"]).decrypt(
                CiphertextBlob=base64.b64decode(command[1]), EncryptionContext=json.loads(command[2])
            )
            say(plaintext=base64.b64encode(answer["Plaintext"]).decode(), key=answer["KeyId"])
        elif verb in ("forbid", "permit"):
            permissions("Deny" if verb == "forbid" else "Allow")
            say()
    server.stop()


main()
