const schedule = require('node-schedule');

const WEEK = 7 * 24 * 60 * 60 * 1000;
let sent = 0;

function send(order) {
  if (!order.paid) sent++;
}

exports.forOrder = (order) => {
  const due = new Date(Date.now() + WEEK);
  return schedule.scheduleJob(due, () => send(order)); // LEAK
};

exports.sent = () => sent;
