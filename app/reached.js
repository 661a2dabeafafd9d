// Whether anything answers at an address within some seconds, be it with a refusal. Not by fetch: Chromium keeps an
// attempt to connect that hangs, and what is asked later, a reload too, waits for it: 20 s more after an outage of 60.
window.whichbinReached = (address, seconds = 1.5) =>
  new Promise((done) => {
    const socket = new WebSocket(new URL(address, location.href).href.replace(/^http/, "ws"));
    socket.onopen = socket.onerror = () => done(true);
    setTimeout(() => (done(false), socket.close()), seconds * 1000);
  });
