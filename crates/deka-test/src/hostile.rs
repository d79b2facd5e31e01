//! Tarballs as an attacker, a broken disk or a very old npm makes them.
