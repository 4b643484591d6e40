//! What map version 3 adds, in literal ids and values. What versions 1 and 2 pin still holds.

use registers::MAP_VERSION;
use registers::points::diverter::{
    BLINK_MS, BUTTON_LEFT, BUTTON_RIGHT, FULL_LEFT, FULL_MS, FULL_RIGHT, INPUTS, LAMP_BLINK,
    LAMP_OFF, LAMP_STEADY,
};

#[test]
fn the_version() {
    assert_eq!(MAP_VERSION, 3);
}

#[test]
fn chutes_of_a_diverter() {
    assert_eq!([FULL_LEFT, FULL_RIGHT, BUTTON_LEFT, BUTTON_RIGHT], [6, 7, 8, 9]);
    let names = INPUTS.iter().skip(6).map(|point| point.name).collect::<Vec<_>>();
    assert_eq!(names[..4], ["full_left", "full_right", "button_left", "button_right"]);
    assert_eq!((LAMP_OFF, LAMP_STEADY, LAMP_BLINK), (0, 1, 2));
    assert_eq!((FULL_MS, BLINK_MS), (2_500, 500));
}
