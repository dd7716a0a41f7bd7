'use strict';

// The other class called Session, on another line; its objects are bigger.

function padding() {
  return new Array(10).fill(null);
}

class Session {
  constructor(id) {
    this.id = id;
    this.file = 'b';
    this.padding = padding();
  }
}

module.exports = Session;
