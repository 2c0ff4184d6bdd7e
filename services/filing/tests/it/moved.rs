//! An accepted Form AR-11 becomes the address of record, and waits for identity as long as it must.

use serde_json::json;

use crate::world::{World, case_accepted, fee_settled};

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_report_of_a_move_is_kept_by_identity() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("AR-11").await.unwrap().name;
    let address = |city: &str| json!({ "line1": "9 Sample Ave", "city": city, "state": "NV", "postal_code": "89501", "country": "US" });
    let answers = json!({
        "app_family_name": "Lima", "app_given_name": "Ana Lúcia", "app_other_names_used": false,
        "dob": "1985-04-12", "citizenship": "BR", "protected": false,
        "old_address": address("Elko"), "new_address": address("Reno"), "moved_on": "2026-01-02",
        "reads_english": "i_read_it", "declares_true": true,
    });
    let answered = ana.answer(&draft, &answers).await.unwrap();
    assert!(answered.missing.is_empty(), "{:?}", answered.missing);
    ana.quote(&draft).await.unwrap();
    ana.sign_now(&draft).await;
    let payment = ana.submit(&draft).await.unwrap().payment;
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    ana.until(&draft, "submitted").await;
    assert_eq!(world.postal_address(&ana), "", "nothing is kept before it is accepted");
    world.case(&draft, case_accepted("DKT1234567897")).await;
    ana.until(&draft, "accepted").await;
    assert_eq!(world.postal_address(&ana), "9 Sample Ave\nReno, NV 89501");
}
