//! Every rpc × every kind of caller: who is let through, and who is not.

use docket_proto::METHODS;
use tonic::{Code, Status};

use crate::client::{Client, reason};
use crate::world::World;

/// T through, D denied, N as if it did not exist, U unauthenticated, S asks for the second factor.
fn judge<T>(answer: Result<T, Status>) -> char {
    let Err(status) = answer else { return 'T' };
    match (status.code(), reason(&status).as_str()) {
        (Code::NotFound, _) => 'N',
        (Code::Unauthenticated, _) => 'U',
        (Code::PermissionDenied, "STEP_UP_REQUIRED") => 'S',
        (Code::PermissionDenied, "NOT_YOUR_ACT") => 'D',
        (Code::InvalidArgument | Code::FailedPrecondition, _) => 'T',
        _ => panic!("{status:?}"),
    }
}

/// Calls an rpc by its path; it changes nothing.
async fn call(world: &World, caller: &Client, path: &str, payment: &str) -> char {
    match path.rsplit('/').next().unwrap() {
        "CreateQuote" => judge(caller.quote(world.quote_request(caller.account, "N-400")).await),
        "ListPayments" => judge(caller.page(0, "").await),
        "GetPayment" => judge(caller.get(payment).await),
        "PayWithCard" => judge(caller.pay(payment, "").await),
        "InvitePayer" => judge(caller.invite(&crate::client::id(), payment).await),
        // Without a command id nothing is taken back.
        "WithdrawPayment" => judge(caller.withdraw("", payment).await),
        "GetTrialBalance" => judge(caller.balances().await),
        other => panic!("{other} stands in no authorization test"),
    }
}

/// Columns: nobody, filing, another service, a stranger, the same stepped up, the payer, the same stepped up, finance,
/// an auditor, an adjudicator.
const TABLE: [(&str, &str); 7] = [
    ("CreateQuote", "UTDUUUUUUU"),
    ("ListPayments", "UUUTTTTTTT"),
    ("GetPayment", "UUUNNTTNNN"),
    ("PayWithCard", "UUUSNSTSSS"),
    ("InvitePayer", "UUUSNSTSSS"),
    ("WithdrawPayment", "UUUSNSTSSS"),
    ("GetTrialBalance", "UUUDDDDTTD"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_rpc_lets_through_whom_its_policy_names() {
    let world = World::start().await;
    let (ana, eve) = (world.person(), world.person());
    let payment = world.package(&ana, "N-400").await.payment;
    let mut callers = vec![world.anonymous(), world.service("filing"), world.service("notifications")];
    callers.extend([world.not_stepped_up(&eve), eve.clone(), world.not_stepped_up(&ana), ana]);
    for role in ["finance", "auditor", "adjudicator"] {
        callers.push(world.officer(role).await);
    }
    let mut seen = 0;
    let mut wrong = Vec::new();
    for method in METHODS.iter().filter(|method| method.path.starts_with("/docket.payments.")) {
        let rpc = method.path.rsplit('/').next().unwrap();
        let row = TABLE.iter().find(|(name, _)| *name == rpc);
        let (_, row) = row.unwrap_or_else(|| panic!("{rpc} has no row"));
        let mut answers = String::new();
        for caller in &callers {
            answers.push(call(&world, caller, method.path, &payment).await);
        }
        if answers != *row {
            wrong.push(format!("{rpc}: expected {row}, was {answers}"));
        }
        seen += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(seen, TABLE.len());

    // Somebody else's is as if it did not exist, word for word.
    let unknown = format!("payments/{}", uuid::Uuid::now_v7());
    let (theirs, nobodys) = (eve.get(&payment).await.unwrap_err(), eve.get(&unknown).await.unwrap_err());
    assert_eq!((theirs.code(), theirs.message()), (nobodys.code(), nobodys.message()));
    let theirs = eve.pay(&payment, "pm_card_visa").await.unwrap_err();
    assert_eq!((theirs.code(), theirs.message()), (nobodys.code(), nobodys.message()));
}
