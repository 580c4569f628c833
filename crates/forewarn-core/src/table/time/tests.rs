use super::*;

fn time(text: &str) -> Option<Timestamp> {
    TimeReader::default().text(text).map(|moment| moment.time)
}

#[test]
fn one_moment_in_many_forms() {
    let expected: Timestamp = "2024-01-01T00:01:00Z".parse().unwrap();
    for text in [
        "2024-01-01T00:01:00Z",
        " 2024-01-01 01:01:00+01:00 ",
        "2024-01-01 01:01:00+0100",
        "2024-01-01 00:01:00",
        "2024-01-01T00:01:00.000000",
        "2024-01-01 0:01",
        "2024/01/01 00:01:00",
        "01.01.2024 00:01",
        "2024-01-01 00:01:00 UTC",
        "2024-01-01 08:01:00 +0800",
        "2023-12-31 20:31:00.000000001 -0330 NST m=+60.5",
        "1704067260",
        "1704067260.0",
        "1.70406726e9",
        "1704067260000",
        "1704067260000000",
        "1704067260000000999",
    ] {
        assert_eq!(time(text), Some(expected), "{text}");
    }
    assert_eq!(time("2024-01-01").unwrap().millis(), expected.millis() - 60_000);
    assert_eq!(time("20240101").unwrap().millis(), expected.millis() - 60_000);
    assert_eq!(time("1704067260.25").unwrap().millis(), expected.millis() + 250);
    assert_eq!(time("2024-01-01T00:01:00.2509").unwrap().millis(), expected.millis() + 250);
}

#[test]
fn a_number_whose_last_digits_are_lost_is_no_time() {
    let mut rounded = TimeReader::default();
    for text in ["1.70407E+09", "1.704067e+09", "1.70E12", "1,70407E+09"] {
        assert_eq!(rounded.text(text), None, "{text}");
        assert!(rounded.expected(text).contains("as a number before"), "{text}");
    }
    // Java writes as many digits as there are: one with few has zeros.
    let mut whole = TimeReader::default();
    assert_eq!(whole.text("1.70406726E9").unwrap().time.millis(), 1_704_067_260_000);
    assert_eq!(whole.text("1.70409E9").unwrap().time.millis(), 1_704_090_000_000);
    let mut learnt = TimeReader::default();
    learnt.learn_exponent_digits(9);
    assert_eq!(learnt.text("1.70409E9").unwrap().time.millis(), 1_704_090_000_000);
}

#[test]
fn points_may_stand_between_hours_and_minutes() {
    for (text, expected) in [
        ("01-JAN-24 12.05.06.250000 AM", "2024-01-01T00:05:06.25Z"),
        ("31-DEC-2023 10.05.06 PM", "2023-12-31T22:05:06Z"),
        ("01-JAN-24 10.00.00.000000 AM -05:00", "2024-01-01T15:00:00Z"),
        ("2024-01-31-09.05.06.123456", "2024-01-31T09:05:06.123Z"),
        ("31.1.2024 9.30", "2024-01-31T09:30:00Z"),
    ] {
        assert_eq!(time(text).map(|time| time.to_string()).as_deref(), Some(expected), "{text}");
    }
    for wrong in ["2024-01-31 9.5", "2024-01-31 09.05.6", "2024-01-31 25.05.06", "2024-01-31-09.05"] {
        assert_eq!(time(wrong), None, "{wrong}");
    }
}

#[test]
fn dates_agree_with_the_calendar() {
    for days in (-719_000..2_900_000).step_by(97) {
        let text = Timestamp::from_millis(days * 86_400_000).unwrap().to_string();
        if !text.starts_with('-') {
            assert_eq!(time(&text).unwrap().millis(), days * 86_400_000, "{text}");
        }
    }
}

#[test]
fn the_first_row_decides() {
    let mut seconds = TimeReader::default();
    assert_eq!(seconds.text("60").unwrap().time.millis(), 60_000);
    assert_eq!(seconds.text("1704067260000"), None, "no such year in seconds");
    assert_eq!(seconds.text("2024-01-01T00:00:00Z"), None);
    let mut zoned = TimeReader::default();
    assert!(zoned.text("2024-01-01T00:00:00Z").is_some());
    assert_eq!((zoned.text("1704067260"), zoned.text("2024-01-01T00:00:00")), (None, None));
    let mut naive = TimeReader::default();
    assert!(naive.text("2024-01-01T00:00:00").is_some());
    assert_eq!(naive.text("2024-01-01T00:00:00Z"), None);
    assert_eq!(time(&i64::MAX.to_string()).unwrap().to_string()[..4], *"2262");
    for wrong in [
        "",
        "yesterday",
        "2024-02-30",
        "2024-01-01T25:00:00",
        "2024-01-01T00",
        "01/02/2024",
        "99999999999999999999",
        "inf",
        "2024-01-01T00:00:00 somewhere",
        "-",
        "2024-01-01 00:00 +0800 CST or so",
        "2024-01-01 00:00 +9",
        "2024-01-01 00:00 +\u{e9}99",
        "1e400",
        "\u{e9}024-01-01",
    ] {
        assert_eq!(time(wrong), None, "{wrong}");
    }
}

#[test]
fn a_row_that_shows_the_order_of_day_and_month_decides_it() {
    let mut reader = TimeReader::default();
    assert_eq!(reader.text("1/2/2024 13:05"), None);
    assert!(reader.expected("1/2/2024 13:05").contains("--date-order day-first"));
    reader.learn(Some(DateOrder::MonthFirst));
    let at = |reader: &mut TimeReader, text: &str| reader.text(text).map(|moment| moment.time.to_string());
    assert_eq!(at(&mut reader, "1/2/2024 13:05").as_deref(), Some("2024-01-02T13:05:00Z"));
    assert_eq!(at(&mut reader, "31/1/2024 13:05"), None);
    assert!(reader.expected("31/1/2024 13:05").contains("the month first"));
    assert!(reader.order_note().unwrap().contains("the month first"));
    let mut first = TimeReader::default();
    assert_eq!(at(&mut first, "31/1/2024 13:05").as_deref(), Some("2024-01-31T13:05:00Z"));
    assert_eq!(at(&mut first, "1/2/2024 13:05").as_deref(), Some("2024-02-01T13:05:00Z"));
}

#[test]
fn zones_have_hours_that_are_repeated_and_left_out() {
    let reader = |zone: &str| TimeReader::new(Some(zone), None);
    let mut berlin = reader("Europe/Berlin").unwrap();
    let mut at =
        |text: &str| berlin.text(text).map(|m| (m.time.to_string(), m.repeated.map(|t| t.to_string())));
    assert_eq!(at("2024-07-01 12:00:00"), Some(("2024-07-01T10:00:00Z".into(), None)));
    assert_eq!(
        at("2024-10-27 02:30:00"),
        Some(("2024-10-27T00:30:00Z".into(), Some("2024-10-27T01:30:00Z".into())))
    );
    assert_eq!(at("2024-03-31 02:30:00"), None);
    let mut fixed = reader("-05:30").unwrap();
    assert_eq!(fixed.text("2024-01-01 00:00").unwrap().time.to_string(), "2024-01-01T05:30:00Z");
    for wrong in ["Middle/Earth", "+25:00", "+x", "", "-0\u{e9}:00"] {
        assert!(reader(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn dates_that_are_written_as_numbers_are_dates() {
    let date: Timestamp = "2024-01-31T00:00:00Z".parse().unwrap();
    let time: Timestamp = "2024-01-31T09:05:00Z".parse().unwrap();
    let mut days = TimeReader::default();
    assert_eq!(days.integer(20_240_131).map(|moment| moment.time), Some(date));
    assert_eq!(days.float(20_240_131.0).map(|moment| moment.time), Some(date));
    assert_eq!(days.integer(1_706_691_900), None);
    let mut seconds = TimeReader::default();
    assert_eq!(seconds.integer(20_240_131_090_500).map(|moment| moment.time), Some(time));
    assert_eq!(self::time("202401310905"), Some(time));
    let mut excel = TimeReader::default();
    assert!(excel.text("45292.25").is_some());
    assert!(excel.note().unwrap().contains("spreadsheets"), "{:?}", excel.note());
}

#[test]
fn zones_may_be_abbreviated() {
    let expected: Timestamp = "2024-01-01T00:01:00Z".parse().unwrap();
    for text in [
        "2023-12-31 19:01:00 EST",
        "2024-01-01 01:01:00 CET",
        "Mon Jan  1 00:01:00 UTC 2024",
        "Mon Jan 01 2024 01:01:00 GMT+0100 (Central European Standard Time)",
        "2024-01-01 02:01:00 UTC+2",
    ] {
        assert_eq!(time(text), Some(expected), "{text}");
    }
    let mut east = TimeReader::default();
    assert!(east.text("2023-12-31 19:01:00 EST").is_some() && east.text("2024-07-01 19:01:00 EDT").is_some());
    let note = "zones were read by their abbreviations: EST as UTC-05:00, EDT as UTC-04:00";
    assert_eq!(east.note().as_deref(), Some(note));
    let mut several = TimeReader::default();
    assert_eq!(several.text("2024-01-01 00:01:00 CST"), None);
    assert!(several.expected("2024-01-01 00:01:00 CST").contains("--timezone"));
    let mut shanghai = TimeReader::new(Some("Asia/Shanghai"), None).unwrap();
    assert_eq!(shanghai.text("2024-01-01 08:01:00 CST").map(|moment| moment.time), Some(expected));
    assert_eq!(shanghai.text("2024-01-01 08:01:00 EST"), None);
    // Of the repeated hour the abbreviation says which it is.
    let mut berlin = TimeReader::new(Some("Europe/Berlin"), None).unwrap();
    for (text, expected) in
        [("2024-10-27 02:30 CEST", "2024-10-27T00:30:00Z"), ("2024-10-27 02:30 CET", "2024-10-27T01:30:00Z")]
    {
        assert_eq!(berlin.text(text).map(|moment| moment.time.to_string()).as_deref(), Some(expected));
    }
}

#[test]
fn days_of_a_spreadsheet_are_times_to_the_second() {
    let mut days = TimeReader::new(Some("+01:00"), None).unwrap();
    for (text, expected) in [
        ("45292.5", "2024-01-01T11:00:00Z"),
        (" 45292,50069 ", "2024-01-01T11:01:00Z"),
        ("45292.000694444447", "2023-12-31T23:01:00Z"),
        ("45293", "2024-01-01T23:00:00Z"),
    ] {
        assert_eq!(days.text(text).unwrap().time.to_string(), expected, "{text}");
    }
    assert_eq!(days.float(45_293.25).unwrap().time.to_string(), "2024-01-02T05:00:00Z");
    assert_eq!(days.integer(45_293).unwrap().time.to_string(), "2024-01-01T23:00:00Z");
    assert!(
        days.note()
            .unwrap()
            .contains("days as spreadsheets count them, have no zone and were read as +01:00")
    );
    assert_eq!(TimeReader::default().float(45_292.5).unwrap().time.to_string(), "2024-01-01T12:00:00Z");
    // Whole ones may be seconds, until one is not.
    let mut whole = TimeReader::default();
    assert!(whole.text("45292").is_some() && whole.text("45293").is_some());
    assert_eq!(whole.text("45292.5"), None);
    assert!(whole.expected("45292.5").contains("write dates"), "{}", whole.expected("45292.5"));
    assert_eq!(whole.float(45_292.5), None);
    for number in ["29999.5", "60000.5", "4529.55", "145292.5", "45292.0"] {
        assert!(!is_spreadsheet_time(number), "{number}");
    }
}
