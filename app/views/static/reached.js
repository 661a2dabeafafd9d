// Whether the server can be reached and says that it is well; `seconds`: that it is given to say so. A WebSocket tries
// first, which any answer will do, be it a refusal. Not fetch: Chromium keeps an attempt to connect that hangs, and what
// is asked later, a reload too, waits for it: 20 s more after an outage of 60.
window.whichbinReached = async (health, seconds) => {
  try {
    const reached = await new Promise((done) => {
      const socket = new WebSocket(new URL(health, location.href).href.replace(/^http/, "ws"));
      socket.onopen = socket.onerror = () => done(true);
      setTimeout(() => (done(false), socket.close()), 1500);
    });
    return reached && (await fetch(health, { cache: "no-store", signal: AbortSignal.timeout(seconds * 1000) })).ok;
  } catch {
    return false; // that is the answer
  }
};
