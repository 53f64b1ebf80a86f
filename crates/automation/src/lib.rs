//! automation
