//! The implementations. Each stands behind a cargo feature of its name and knows nothing of another.
