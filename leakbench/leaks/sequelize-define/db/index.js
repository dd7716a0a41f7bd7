const { Sequelize } = require('sequelize');

// Connects when the first query is made.
exports.sequelize = new Sequelize('postgres://app@127.0.0.1:1/app', { dialect: 'postgres', logging: false });
