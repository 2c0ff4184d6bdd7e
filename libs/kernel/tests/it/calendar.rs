//! Civil days: the holiday table, ages and anniversaries.

use docket_kernel::calendar::{
    age, closed_because, closing_years, days_between, holidays, is_working_day, next_working_day, plus_days,
    plus_months, plus_working_days, plus_years, roll,
};
use jiff::civil::{Date, date};
use proptest::prelude::*;

use crate::deadlines::golden;

#[test]
fn the_holiday_table_comes_out_by_rule() {
    let years = &golden().year;
    assert_eq!(years.len(), 6);
    for row in years {
        let computed = holidays(row.number);
        let actual: Vec<String> = computed.iter().map(|h| h.actual.to_string()).collect();
        let observed: Vec<String> = computed.iter().map(|h| h.observed.to_string()).collect();
        assert_eq!(actual, row.actual, "{}", row.number);
        assert_eq!(observed, row.observed, "{}", row.number);
    }
}

#[test]
fn new_year_may_be_observed_the_year_before() {
    assert_eq!(closed_because(date(2027, 12, 31)), Some("New Year"));
    assert_eq!(next_working_day(date(2027, 12, 30)), date(2028, 1, 3));
    assert_eq!(closed_because(date(2029, 1, 20)), Some("Saturday"), "Inauguration Day is not used");
    assert_eq!(closed_because(date(2020, 6, 19)), None, "Juneteenth is a holiday since 2021");
    assert_eq!(plus_working_days(date(2026, 7, 1), 2), date(2026, 7, 6));
}

#[test]
fn a_leap_birthday_is_the_first_of_march() {
    let born = date(2004, 2, 29);
    assert_eq!(age(born, date(2025, 2, 28)), 20);
    assert_eq!(age(born, date(2025, 3, 1)), 21);
    assert_eq!(age(born, date(2024, 2, 29)), 20);
    assert_eq!(age(born, date(2003, 3, 1)), -1);
    assert_eq!(plus_years(born, 14), date(2018, 3, 1));
    assert_eq!(plus_years(born, 16), date(2020, 2, 29));
    assert_eq!(plus_years(born, -2), date(2002, 2, 28));
    assert_eq!(closing_years(born, 14), date(2018, 2, 28));
    assert_eq!(plus_months(date(2026, 3, 31), -1), date(2026, 2, 28));
}

fn some_day() -> impl Strategy<Value = Date> {
    (0_i64..36_500).prop_map(|n| plus_days(date(2000, 1, 1), n))
}

proptest! {
    #[test]
    fn rolling_ends_on_the_first_working_day(day in some_day()) {
        let rolled = roll(day);
        prop_assert!(is_working_day(rolled));
        prop_assert_eq!(roll(rolled), rolled);
        prop_assert!((0..=4).contains(&days_between(day, rolled)));
        for n in 0..days_between(day, rolled) {
            prop_assert!(!is_working_day(plus_days(day, n)));
        }
    }

    #[test]
    fn days_between_undoes_adding_days(day in some_day(), n in -2000_i64..2000) {
        prop_assert_eq!(days_between(day, plus_days(day, n)), n);
    }

    #[test]
    fn age_is_the_largest_number_of_years_completed(born in some_day(), at in some_day()) {
        let years = age(born, at);
        prop_assert!(plus_years(born, years) <= at);
        prop_assert!(plus_years(born, years + 1) > at);
    }
}
