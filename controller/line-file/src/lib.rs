//! Shapes and spans of the line file.
