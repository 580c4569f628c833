//! The time around a failure or an alarm: metrics above one another, then the score; failures shaded, alarms marked.

use crate::drawing::figures::Screen;
use crate::drawing::svg::{Anchor, Scale, Svg, time_ticks};
use crate::{Mark, MetricTrack, Timeline, text::*};
use forewarn_schema::Timestamp;

/// How large everything is.
#[derive(Clone, Copy)]
struct Size {
    width: f64,
    head: f64,
    track: f64,
    gap: f64,
    scored: f64,
    most_tracks: usize,
    most_ticks: usize,
}

/// A timeline over the whole width.
pub(crate) fn drawn(timeline: &Timeline, screen: Screen) -> String {
    let size = screen.pick(
        Size {
            width: 860.0,
            head: 36.0,
            track: 54.0,
            gap: 30.0,
            scored: 96.0,
            most_tracks: 4,
            most_ticks: 10,
        },
        Size {
            width: 380.0,
            head: 36.0,
            track: 46.0,
            gap: 28.0,
            scored: 84.0,
            most_tracks: 4,
            most_ticks: 5,
        },
    );
    figure(timeline, size, screen.class())
}

/// A timeline among others.
pub(crate) fn drawn_small(timeline: &Timeline) -> String {
    let size = Size {
        width: 380.0,
        head: 34.0,
        track: 30.0,
        gap: 24.0,
        scored: 46.0,
        most_tracks: 3,
        most_ticks: 5,
    };
    figure(timeline, size, "any")
}

fn figure(timeline: &Timeline, size: Size, class: &str) -> String {
    let tracks = timeline.metrics.len().min(size.most_tracks);
    let bottom = size.head + tracks as f64 * (size.track + size.gap) + size.gap + size.scored;
    let mut svg = Svg::new(size.width, bottom + 26.0);
    let (left, right) = (4.0, size.width - 58.0);
    let (start, end) = (timeline.start, timeline.end);
    let x = Scale::new((start.millis() as f64, end.millis() as f64), (left, right));
    let clamped = |time: Timestamp| x.time(time).clamp(left, right);

    for failure in &timeline.failures {
        let from = clamped(failure.onset());
        svg.rect("failing", (from, size.head), (clamped(failure.end()) - from, bottom - size.head));
    }
    for (time, label) in time_ticks(start, end, size.most_ticks) {
        let at = x.time(time);
        svg.line("grid", (at, size.head), (at, bottom));
        let anchor = if at - left < 16.0 { Anchor::Start } else { Anchor::Middle };
        svg.text("tick", (at, bottom + 18.0), anchor, &label);
    }
    for &alarm in &timeline.alarms {
        svg.line("alarm", (clamped(alarm), size.head - 22.0), (clamped(alarm), bottom));
    }

    let mut top = size.head + size.gap;
    for metric in timeline.metrics.iter().take(tracks) {
        metric_track(&mut svg, metric, x, top, size.track);
        top += size.track + size.gap;
    }
    score_track(&mut svg, timeline, x, top, size.scored);
    marks(&mut svg, timeline, size, bottom, clamped);
    let label = match timeline.mark {
        Mark::Failure(_) => {
            format!("One failure of {}: metrics, score and alarms over time", timeline.service)
        }
        Mark::Alarm(_) => format!("One alarm of {}: metrics, score and alarms over time", timeline.service),
    };
    svg.finish(class, &label)
}

/// The moments that matter, with their names on lines of their own, so that they never collide.
fn marks(svg: &mut Svg, timeline: &Timeline, size: Size, bottom: f64, at: impl Fn(Timestamp) -> f64) {
    let side =
        |at: f64| if at > size.width / 2.0 { (at - 5.0, Anchor::End) } else { (at + 5.0, Anchor::Start) };
    let alarm = match timeline.mark {
        Mark::Failure(episode) => {
            let onset = at(episode.onset());
            svg.line("onset", (onset, size.head - 6.0), (onset, bottom));
            let (x, anchor) = side(onset);
            let text = format!("failure begins {}", clock(episode.onset()));
            svg.text("mark failing-text", (x, size.head - 7.0), anchor, &text);
            timeline.alarms.iter().rev().find(|&&time| time < episode.onset()).copied()
        }
        Mark::Alarm(time) => Some(time),
    };
    if let Some(alarm) = alarm {
        let (x, anchor) = side(at(alarm));
        svg.text("mark alarm-text", (x, size.head - 22.0), anchor, &format!("alarm {}", clock(alarm)));
    }
}

fn metric_track(svg: &mut Svg, metric: &MetricTrack, x: Scale, top: f64, height: f64) {
    let present = || metric.samples.iter().map(|sample| f64::from(sample.1)).filter(|value| !value.is_nan());
    svg.text("track", (4.0, top - 8.0), Anchor::Start, &format!("{} ({})", metric.name, metric.unit));
    if present().next().is_none() {
        svg.text("tick", (4.0, top + height / 2.0), Anchor::Start, "no samples");
        return;
    }
    let (low, high) = (present().fold(f64::INFINITY, f64::min), present().fold(f64::NEG_INFINITY, f64::max));
    let y = if low == high {
        Scale::new((low - 1.0, low + 1.0), (top + height, top))
    } else {
        Scale::new((low, high), (top + height, top))
    };
    let right = svg.width - 52.0;
    svg.text("tick", (right, y.at(high) + 4.0), Anchor::Start, &quantity(high));
    if low != high {
        svg.text("tick", (right, y.at(low) + 4.0), Anchor::Start, &quantity(low));
    }
    for run in metric.samples.split(|sample| sample.1.is_nan()) {
        let points: Vec<_> =
            run.iter().map(|&(time, value)| (x.time(time), y.at(f64::from(value)))).collect();
        svg.polyline("metric", &points);
    }
}

fn score_track(svg: &mut Svg, timeline: &Timeline, x: Scale, top: f64, height: f64) {
    let threshold = f64::from(timeline.threshold.get());
    let highest = timeline.scores.iter().map(|score| f64::from(score.1.get())).fold(threshold, f64::max);
    let y = Scale::new((0.0, highest), (top + height, top));
    let title = format!("score; an alarm at {} (dashed) or more", share(threshold));
    svg.text("track", (4.0, top - 8.0), Anchor::Start, &title);
    let right = svg.width - 52.0;
    svg.line("base", (4.0, top + height), (right - 6.0, top + height));
    svg.line("threshold", (4.0, y.at(threshold)), (right - 6.0, y.at(threshold)));
    svg.text("tick", (right, top + height + 4.0), Anchor::Start, "0");
    if (y.at(highest) - (top + height)).abs() > 12.0 {
        svg.text("tick", (right, y.at(highest) + 4.0), Anchor::Start, &share(highest));
    }
    let step = timeline.step.millis();
    for run in timeline.scores.chunk_by(|a, b| b.0.millis() - a.0.millis() <= step) {
        let points: Vec<_> =
            run.iter().map(|&(time, score)| (x.time(time), y.at(f64::from(score.get())))).collect();
        svg.polyline("score", &points);
    }
    for &alarm in &timeline.alarms {
        let at = x.time(alarm);
        svg.polygon("alarm-mark", &[(at - 5.0, top - 4.0), (at + 5.0, top - 4.0), (at, top + 4.0)]);
    }
}
