//! Tests against real servers, a real browser and real process kills.
