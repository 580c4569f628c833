//! The fleet as its users see it: laws that any system of queues obeys, what faults do, and what is promised of seeds.

mod chaos;
mod extremes;
mod faults;
mod foresight;
mod generated;
mod laws;
mod promises;
mod support;
mod truth;
