//! What a commit waits for before it is answered, whatever the session's default.

use docket_eventlog::Expected;
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::world::{World, one};

#[tokio::test]
async fn a_commit_waits_for_the_disk_and_for_a_quorum_whatever_the_sessions_default() {
    let world = World::new().await;
    let note = "CREATE TABLE noted (level text NOT NULL);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO noted VALUES (current_setting('synchronous_commit'));
            RETURN NULL; END $$;
        CREATE TRIGGER note AFTER UPDATE ON log.head FOR EACH ROW EXECUTE FUNCTION note()";
    sqlx::raw_sql(note).execute(world.pool()).await.unwrap();
    let mut command = 0;
    for (default, level) in [
        ("off", "on"),
        ("local", "on"),
        ("remote_write", "on"),
        ("on", "on"),
        ("remote_apply", "remote_apply"),
    ] {
        let options: PgConnectOptions = world.database().url.parse().unwrap();
        let options = options.options([("synchronous_commit", default)]);
        let pool = PgPoolOptions::new().connect_lazy_with(options);
        let log = world.open_with(pool.clone()).await;
        // By the appending task, and in a transaction of the caller's.
        log.append(one(&log, command + 1, 1, Expected::Any)).await.unwrap();
        let mut tx = docket_database::begin(&pool).await.unwrap();
        log.append_in(&mut tx, one(&log, command + 2, 1, Expected::Any)).await.unwrap();
        tx.commit().await.unwrap();
        command += 2;
        let noted: Vec<String> =
            sqlx::query_scalar("SELECT level FROM noted").fetch_all(world.pool()).await.unwrap();
        assert_eq!(noted, [level, level], "where the default is {default}");
        world.pool().execute("TRUNCATE noted").await.unwrap();
    }
}
