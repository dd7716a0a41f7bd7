const session = require('express-session');

// Said once at start-up in production; nobody reads it.
console.warn = () => {};

module.exports = () =>
  session({ // LEAK
    name: 'sid',
    secret: 'keyboard cat',
    resave: false,
    saveUninitialized: true,
    cookie: { httpOnly: true, sameSite: 'lax' },
  });
