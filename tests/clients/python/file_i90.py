"""Files Form I-90 from an empty account to the receipt number, and prints one JSON line a step.

    deploy/tools/install-clients
    PYTHONPATH=.local/clients/generated .local/clients/python/bin/python tests/clients/python/file_i90.py

DOCKET_HOME names the folder of a running system (default: .local); it must be one with the sandbox, which plays the
mailbox, the register of persons and the card processor. Nobody in here exists.
"""

import datetime
import json
import os
import pathlib
import random
import re
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

from connection import Refused, Session, System, request_id
from docket.case_status.v1 import status_service_pb2 as status
from docket.case_status.v1.status_service_pb2_grpc import StatusServiceStub
from docket.filing.v1 import draft_service_pb2 as drafts
from docket.filing.v1 import evidence_service_pb2 as evidence
from docket.filing.v1.draft_service_pb2_grpc import DraftServiceStub
from docket.filing.v1.evidence_service_pb2_grpc import EvidenceServiceStub
from docket.identity.v1 import account_service_pb2 as accounts
from docket.identity.v1 import session_service_pb2 as sessions
from docket.identity.v1.account_service_pb2_grpc import AccountServiceStub
from docket.identity.v1.session_service_pb2_grpc import SessionServiceStub
from docket.payments.v1 import payment_service_pb2 as payments
from docket.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from page import Page
from totp import Authenticator

CHUNK = 256 * 1024
PATIENCE_S = 60
ROOT = pathlib.Path(__file__).resolve().parents[3]
CARD = ROOT / "tests/stories/evidence/green-card-front.jpg"
BACK = ROOT / "tests/stories/evidence/green-card-back.jpg"


def tell(step: str, **facts: Any) -> None:
    """One line for who called us."""
    print(json.dumps({"step": step, **facts}), flush=True)


class Applicant:
    """A permanent resident whose card ends soon."""

    family_name, given_name, birth_date = "Quintero", "Ines", "1984-03-09"

    def __init__(self, system: System):
        run = random.randrange(1_000_000)
        self.email, self.password = f"ines.{run:06}@example.test", f"a long walk in spring {run:06}"
        # A-numbers began above one million: what is below was never given to anybody.
        self.a_number = f"A000{run:06}"
        self.today = datetime.date.today()
        self.sandbox, self.mail = system.told["sandbox"], system.told["mail"]
        self.session = Session()
        self.session.renew = self.renew
        self.accounts = AccountServiceStub(system.channel("identity"))
        self.sessions = SessionServiceStub(system.channel("identity"))
        self.drafts = DraftServiceStub(system.channel("filing"))
        self.evidence = EvidenceServiceStub(system.channel("filing"))
        self.page = Page(system.told["http"]["filing"], system.told["ca_file"],
                         lambda: dict(self.session.metadata())["authorization"])
        self.payments = PaymentServiceStub(system.channel("payments"))
        self.status = StatusServiceStub(system.channel("status-projection"))

    # Account

    def open_account(self) -> None:
        """Registers, proves the address with the mailed code, sets up the authenticator."""
        call = self.session.call
        registered = call(self.accounts.Register, accounts.RegisterRequest(
            request_id=request_id(), email=self.email, password=self.password, language="en", zone="America/New_York"))
        token = registered.registration_token
        tell("registered", email=self.email)
        call(self.accounts.ConfirmEmail, accounts.ConfirmEmailRequest(
            request_id=request_id(), registration_token=token, code=self.mailed_code()))
        tell("email_confirmed")
        begun = call(self.accounts.BeginTotp, accounts.BeginTotpRequest(
            request_id=request_id(), registration_token=token))
        self.authenticator = Authenticator(begun.secret)
        confirmed = call(self.accounts.ConfirmTotp, accounts.ConfirmTotpRequest(
            request_id=request_id(), registration_token=token, code=self.authenticator.code()))
        tell("authenticator_set_up", account=confirmed.account, recovery_codes=len(confirmed.recovery_codes))

    def mailed_code(self) -> str:
        """Six digits from the newest mail; the sandbox waits until there is one."""
        query = urllib.parse.urlencode({"to": self.email, "wait_seconds": 60})
        messages = http(f"{self.mail}/mail/messages?{query}")["messages"]
        text = http(f"{self.mail}/mail/messages/{messages[-1]['id']}")["text"]
        return re.findall(r"\b\d{6}\b", text)[0]

    def sign_in(self) -> None:
        """Signs in with password and authenticator."""
        answer = self.session.call(self.sessions.SignIn, sessions.SignInRequest(
            request_id=request_id(), email=self.email, password=self.password, code=self.authenticator.code()))
        self.session.take(answer.tokens)
        tell("signed_in", account=answer.tokens.account, expires_in_s=answer.tokens.expires_in_s)

    def renew(self) -> None:
        """Rotates the refresh token when the access token is about to end."""
        answer = self.session.call(self.sessions.RefreshToken, sessions.RefreshTokenRequest(
            refresh_token=self.session.refresh_token))
        self.session.take(answer.tokens)

    def step_up(self) -> None:
        """Gives the second factor again; the new token serves guarded acts for ten minutes."""
        answer = self.session.call(self.sessions.StepUp, sessions.StepUpRequest(
            request_id=request_id(), code=self.authenticator.code()))
        self.session.take(answer.tokens)
        tell("stepped_up")

    def prove_identity(self) -> None:
        """Matches with the register of persons, which the sandbox plays and must know her first."""
        http(f"{self.sandbox}/register/persons", {
            "family_name": self.family_name, "given_name": self.given_name,
            "date_of_birth": self.birth_date, "a_number": self.a_number})
        answer = self.session.call(self.accounts.ProveIdentity, accounts.ProveIdentityRequest(
            request_id=request_id(), family_name=self.family_name, given_name=self.given_name,
            birth_date=self.birth_date, a_number=self.a_number))
        tell("identity_proven", identity_level=answer.account.identity_level)

    def security_events(self) -> None:
        """Reads a list to its end, two rows a page."""
        kinds, pages, token = [], 0, ""
        while pages == 0 or token:
            page = self.session.call(self.accounts.ListSecurityEvents, accounts.ListSecurityEventsRequest(
                page_size=2, page_token=token))
            kinds += [event.kind for event in page.events]
            pages, token = pages + 1, page.next_page_token
        tell("security_events", pages=pages, kinds=kinds)

    # Filing

    def start(self) -> drafts.Filing:
        """Begins a draft; asked twice with one request id, it is begun once."""
        message = drafts.StartDraftRequest(request_id=request_id(), form="I-90")
        first = self.session.call(self.drafts.StartDraft, message).filing
        again = self.session.call(self.drafts.StartDraft, message).filing
        tell("draft_started", filing=first.name, again=again.name, missing=len(first.missing))
        message.form = "N-400"
        try:
            self.session.call(self.drafts.StartDraft, message)
        except Refused as refused:
            tell("refused", reason=refused.reason, facts=refused.facts)
        return first

    def answer(self, filing: drafts.Filing, answers: dict[str, Any]) -> drafts.Filing:
        """Saves answers and gives the filing with what is wrong or missing now."""
        answered = self.session.call(self.drafts.AnswerDraft, drafts.AnswerDraftRequest(
            request_id=request_id(), name=filing.name, answers_json=json.dumps(answers), etag=filing.etag)).filing
        tell("answered", answers=len(answers), missing=[row.field for row in answered.missing],
             stops=[found.rule for found in answered.findings if found.level == "block"],
             notes=[found.rule for found in answered.findings if found.level == "warn"])
        return answered

    def fill_in(self, filing: drafts.Filing) -> drafts.Filing:
        """Answers everything; puts right what is refused and what the rules find."""
        answers = self.answers()
        a_number = answers.pop("app_a_number")
        try:
            self.answer(filing, answers | {"card_expiry": "soon"})
        except Refused as refused:  # nothing of it was stored
            tell("refused", reason=refused.reason, fields=refused.fields)
            if "card_expiry" not in refused.fields:
                raise
        filing = self.answer(filing, answers)
        if any(found.rule == "anumber" for found in filing.findings):
            filing = self.answer(filing, {"app_a_number": a_number})
        return filing

    def answers(self) -> dict[str, Any]:
        """Answers of somebody who renews a card that ends in two months."""
        home = {"line1": "4 Invented Street", "city": "Albany", "state": "NY", "postal_code": "12207", "country": "US"}

        def day(days: int) -> str:
            return str(self.today + datetime.timedelta(days=days))

        return {
            "resident_kind": "permanent_resident", "reason": "expired_or_within_6_months", "card_expiry": day(60),
            "app_family_name": self.family_name, "app_given_name": self.given_name, "app_other_names_used": False,
            "app_dob": self.birth_date, "app_birth_city": "Cusco", "app_birth_country": "PE", "app_sex": "female",
            "app_a_number": self.a_number, "app_mailing": home, "app_physical_same": True,
            "app_physical_since": day(-2000), "name_on_card_same": "no",
            "mother_given": "Rosa", "father_given": "Luis", "class_of_admission": "F11",
            "date_of_admission": day(-3500), "place_applied": "Lima", "place_issued": "Lima",
            "in_proceedings": False, "i407_filed": False,
            "app_ethnicity": "hispanic_or_latino", "app_race": ["white"], "app_height": "5'4\"", "app_weight": 130,
            "app_eye_color": "brown", "app_hair_color": "black", "accommodation_needed": False,
            "app_day_phone": "+1 212 555 0143", "used_interpreter": False, "used_preparer": False,
            "reads_english": "i_read_it", "declares_true": True,
        }

    def attach(self, filing: drafts.Filing) -> drafts.Filing:
        """Uploads what the checklist asks for at filing."""
        for need in filing.evidence_needs:
            if need.level == "initial" and not need.satisfied:
                self.upload(filing, need.kind)
                tell("page_uploaded", **self.page.upload(filing.name, need.kind, BACK, chunk=1500))
        filing = self.session.call(self.drafts.GetFiling, drafts.GetFilingRequest(name=filing.name)).filing
        tell("complete", ready=filing.ready, evidence=[piece.kind for piece in filing.evidence])
        return filing

    def upload(self, filing: drafts.Filing, kind: str) -> None:
        """Sends one file: a header, then its bytes in chunks; a repetition has the same request id."""
        content = CARD.read_bytes()
        header = evidence.UploadHeader(request_id=request_id(), parent=filing.name, kind=kind, file_name=CARD.name)

        def parts() -> Iterator[evidence.UploadEvidenceRequest]:
            yield evidence.UploadEvidenceRequest(header=header)
            for at in range(0, len(content), CHUNK):
                yield evidence.UploadEvidenceRequest(chunk=content[at:at + CHUNK])

        stored = self.session.call(self.evidence.UploadEvidence, parts).evidence
        tell("evidence_uploaded", kind=stored.kind, media_type=stored.media_type, size=stored.size)

    def sign(self, filing: drafts.Filing) -> None:
        """Sees the fee, reads the text, signs it; steps up when that is asked for."""
        quote = self.session.call(self.drafts.QuoteFee, drafts.QuoteFeeRequest(
            request_id=request_id(), name=filing.name))
        tell("fee_seen", cents=quote.total.cents, rows=[[row.row, row.cents, row.because] for row in quote.rows])
        review = self.session.call(self.drafts.ReviewFiling, drafts.ReviewFilingRequest(name=filing.name))
        message = drafts.SignFilingRequest(
            request_id=request_id(), name=filing.name, content_hash=review.content_hash,
            typed_name=f"{self.given_name} {self.family_name}")
        try:
            signed = self.session.call(self.drafts.SignFiling, message)
        except Refused as refused:
            tell("refused", reason=refused.reason, message=refused.message)
            if refused.reason != "STEP_UP_REQUIRED":
                raise
            self.step_up()
            signed = self.session.call(self.drafts.SignFiling, message)
        tell("signed", state=signed.filing.state, lines=len(review.text.splitlines()))

    def submit(self, filing: drafts.Filing) -> str:
        """Sends the signed filing; gives the payment that waits."""
        message = drafts.SubmitFilingRequest(request_id=request_id(), name=filing.name)
        sent = self.session.call(self.drafts.SubmitFiling, message)
        again = self.session.call(self.drafts.SubmitFiling, message)
        tell("sent", state=sent.filing.state, payment=sent.payment, again=again.payment)
        return sent.payment

    def pay(self, payment: str) -> None:
        """Pays, first with a card that is declined; then asks for the same again: one charge."""
        patiently(lambda: self.session.call(self.payments.GetPayment, payments.GetPaymentRequest(name=payment)))
        outcome = payments.PayWithCardResponse.Outcome.Name
        for card in ("pm_card_visa_chargeDeclinedInsufficientFunds", "pm_card_visa"):
            message = payments.PayWithCardRequest(request_id=request_id(), name=payment, method_token=card)
            answer = self.session.call(self.payments.PayWithCard, message)
            tell("paid", outcome=outcome(answer.outcome), cents=answer.payment.amount.cents,
                 card=answer.payment.card_last4, last_refusal=answer.payment.last_refusal)
        again = self.session.call(self.payments.PayWithCard, message)
        query = urllib.parse.urlencode({"payment": payment.removeprefix("payments/")})
        charges = http(f"{self.sandbox}/sandbox/charges?{query}")
        tell("paid_again", outcome=outcome(again.outcome), charges=charges["succeeded"], cents=charges["amount"])

    def watch(self, filing: drafts.Filing) -> None:
        """Watches the case until it has a receipt number; resumes after the version last seen."""
        case = filing.name.replace("filings/", "cases/", 1)
        seen, give_up = status.Case(), time.monotonic() + PATIENCE_S
        while not seen.receipt_number and time.monotonic() < give_up:
            message = status.WatchCaseRequest(name=case, after_version=seen.version, language="es")
            try:
                for change in self.session.stream(self.status.WatchCase, message, deadline_s=10):
                    seen = change.case
                    tell("watched", version=seen.version, stage=seen.stage, title=seen.title,
                         receipt_number=seen.receipt_number)
                    if seen.receipt_number:
                        break
            except Refused as refused:  # not there yet, or the stream ended: look again
                if not (refused.passing or refused.reason == "NOT_FOUND"):
                    raise
                time.sleep(0.1)
        if not seen.receipt_number:
            raise TimeoutError("no receipt number came")
        lines = self.session.call(self.status.ListTimeline, status.ListTimelineRequest(name=case)).entries
        done = self.session.call(self.drafts.GetFiling, drafts.GetFilingRequest(name=filing.name)).filing
        tell("done", case=case, receipt_number=seen.receipt_number, receipt_date=seen.receipt_date,
             state=done.state, timeline=[line.kind for line in lines])


def patiently(look: Callable[[], Any]) -> Any:
    """Looks until it is there: what another service does in its own time."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            return look()
        except Refused as refused:
            if refused.reason != "NOT_FOUND" or time.monotonic() > give_up:
                raise
            time.sleep(0.1)


def http(url: str, body: dict[str, str] | None = None) -> Any:
    """Asks the sandbox, which speaks HTTP and JSON."""
    data = json.dumps(body).encode() if body else None
    headers = {"content-type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=70) as answer:
        return json.load(answer)


def main() -> int:
    """The whole way."""
    applicant = Applicant(System(pathlib.Path(os.environ.get("DOCKET_HOME", ROOT / ".local"))))
    try:
        applicant.open_account()
        applicant.sign_in()
        applicant.prove_identity()
        applicant.security_events()
        filing = applicant.start()
        filing = applicant.fill_in(filing)
        filing = applicant.attach(filing)
        applicant.sign(filing)
        applicant.pay(applicant.submit(filing))
        applicant.watch(filing)
    except Refused as refused:
        print(f"{refused.code.name} {refused.reason}: {refused.message} {refused.fields or ''} {refused.way_out}",
              file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
