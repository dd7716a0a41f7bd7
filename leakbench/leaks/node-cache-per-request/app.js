const express = require('express');
const requestCache = require('./middleware/request-cache');
const users = require('./models/users');

const app = express();
app.use(requestCache);

app.get('/users/:id', (req, res) => {
  const user = req.cached(`user:${req.params.id}`, () => users.find(req.params.id));
  const team = req.cached(`team:${user.team}`, () => users.team(user.team));
  res.send({ ...user, team: team.name });
});

const http = require('http').createServer(app);
http.listen(process.env.PORT, '127.0.0.1', () => console.log('listening on http://127.0.0.1:' + http.address().port));
