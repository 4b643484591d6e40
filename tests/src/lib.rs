//! Harness and oracle: controller and simulated line on one virtual clock.
