'use strict';

// One of two classes called Session: views must tell them apart by their places.

class Session {
  constructor(id) {
    this.id = id;
    this.file = 'a';
  }
}

module.exports = Session;
