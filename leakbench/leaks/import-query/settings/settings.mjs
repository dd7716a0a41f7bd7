const percent = (n) => Math.min(100, Math.max(0, n));

export default {
  flags: { newCheckout: percent(20), darkMode: percent(60), search2: percent(5) },
  limits: { uploads: 10, seats: 25 },
  loadedAt: Date.now(),
};
