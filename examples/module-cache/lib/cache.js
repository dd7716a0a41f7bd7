'use strict';

// Answers by request id, so that a client which retries gets the answer it missed and not a second booking.
const cache = new Map();

module.exports = cache;
