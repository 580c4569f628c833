use super::*;
use forewarn_schema::Metric;

fn schema() -> Schema {
    Schema::new(vec![Metric::gauge("a"), Metric::gauge("b")]).unwrap()
}

#[test]
fn a_window_is_a_slice_of_the_block() {
    let (schema, values): (_, Vec<f32>) = (schema(), (0..10u8).map(f32::from).collect());
    let windows = Windows::new(&schema, &values, 3, &[2, 4]).unwrap();
    assert_eq!(windows.get(1).unwrap(), &values[4..10]);
    assert!(std::ptr::eq(windows.get(1).unwrap().as_ptr(), &raw const values[4]));
    assert_eq!(windows.iter_last().collect::<Vec<_>>(), [&[4.0, 5.0], &[8.0, 9.0]]);
    let (shape, [by_window, by_row, by_feature]) = windows.shape_and_strides();
    for (index, window) in windows.iter().enumerate() {
        let offset = windows.offset(index).unwrap();
        assert!(offset.is_multiple_of(by_window) && offset / by_window < shape[0]);
        for (row, feature) in [(0, 0), (1, 1), (2, 0)] {
            let element = offset + row * by_row + feature * by_feature;
            assert_eq!(windows.block()[element], window[row * 2 + feature]);
        }
    }
    assert_eq!(windows.offset(2), None);
    let many: Vec<u32> = (0..100).map(|i| i % 2).collect();
    let mut batch = vec![0.0; 600];
    windows.gather(&many, &mut batch).unwrap();
    for (pick, window) in many.iter().zip(batch.chunks(6)) {
        assert_eq!(window, windows.get(*pick as usize).unwrap());
    }
    assert!(windows.gather(&[0, 1, 2], &mut [0.0; 18]).is_err());
    let mut batch = vec![0.0; 12];
    windows.gather(&[1, 0], &mut batch).unwrap();
    assert_eq!(batch[..6], values[4..10]);
    assert_eq!(batch[6..], values[..6]);
}

#[test]
fn what_reaches_beyond_the_rows_is_refused() {
    let (schema, values) = (schema(), vec![0.0; 10]);
    for last_row in [1, 5, u32::MAX] {
        assert!(Windows::new(&schema, &values, 3, &[last_row]).is_err(), "{last_row}");
    }
    assert!(Windows::new(&schema, &values[..9], 3, &[]).is_err());
    assert!(Windows::new(&schema, &values, 0, &[]).is_err());
    let short = Windows::new(&schema, &values, 9, &[]).unwrap();
    assert_eq!(short.shape_and_strides().0, [0, 9, 2]);
    assert!(short.gather(&[0], &mut [0.0; 18]).is_err());
}

#[test]
fn no_windows_may_be_of_any_length() {
    let schema = schema();
    for observation in [1 << 60, 1 << 63, usize::MAX] {
        let none = Windows::new(&schema, &[], observation, &[]).unwrap();
        assert_eq!((none.gather(&[], &mut []).is_ok(), none.offset(0)), (true, None));
        assert!(none.gather(&[0], &mut []).is_err() && none.get(0).is_none());
        assert_eq!(none.iter().len() + none.shape_and_strides().0[0], 0);
    }
}

#[test]
fn a_spec_without_a_part_is_refused() {
    assert!(WindowSpec::new(0, 0, 5).is_err() && WindowSpec::new(10, 0, 0).is_err());
    assert!(WindowSpec::new(usize::MAX, 1, 1).is_err());
    assert_eq!(WindowSpec::default().purge(2), 17);
    assert!(serde_json::from_str::<WindowSpec>(r#"{"observation":0,"lead":0,"period":5}"#).is_err());
}
