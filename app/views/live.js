// Starts the camera on the live page, and brings the video back after whatever took it away: a network that was gone,
// a server that was started anew, a proxy that had to choose another one. Runs once a page.
//
// streamlit-webrtc's own `desired_playing_state=True` opens several connections at once while the component is being
// mounted, of which the wrong one may get the answer, and asks for a refused camera again and again (seen in 0.79.0).
(() => {
  if (window.whichbinLive) return;
  window.whichbinLive = true;

  const LOOK = 100; // milliseconds between two looks; all other times are in seconds
  const FRESH = 2; // a session that gave a sign of life so long ago is there; it gives one each second
  const LOST = 10; // without one, the page begins anew as soon as the server answers
  const ASK = 1; // between two questions whether it does
  const PRESS = 2; // until the start button is pressed again, twice as long each time
  const PRESS_MOST = 30;
  const one = (selector) => document.querySelector(selector);
  const now = () => performance.now() / 1000;

  // Of each of the component's documents: `stopped` by its visitor, who alone starts it again; whether it has `played`,
  // as what never did (a refused camera, no way through) is not tried again; when it was pressed, and the next time.
  const components = new WeakMap();
  let beat = "", quiet = 0, lookedAt = now(), askedAt = -ASK;

  function known(inside, words) {
    let component = components.get(inside);
    if (component) return component;
    component = { stopped: false, played: false, pressed: false, next: 0, wait: PRESS };
    components.set(inside, component);
    const pressed = (event) => {
      const button = event.isTrusted && event.target.closest("button"); // not the press below
      if (button) component.stopped = button.textContent.trim() === words.stop;
    };
    inside.addEventListener("click", pressed, true);
    return component;
  }

  function startCamera(words) {
    const inside = one('iframe[title*="webrtc"]')?.contentDocument;
    if (!inside?.body) return;
    const component = known(inside, words);
    if (inside.querySelector("video")?.currentTime > 0) [component.played, component.wait] = [true, PRESS];
    if (component.stopped || (component.pressed && !component.played)) return;
    const button = [...inside.querySelectorAll("button")].find((b) => b.textContent.trim() === words.start);
    if (!button || button.disabled || now() < component.next) return;
    [component.pressed, component.next] = [true, now() + component.wait];
    component.wait = Math.min(2 * component.wait, PRESS_MOST);
    button.click();
  }

  async function beginAnew() {
    if (now() - askedAt < ASK) return;
    askedAt = Infinity; // one question at a time
    try {
      const answer = await fetch("_stcore/health", { cache: "no-store", signal: AbortSignal.timeout(1500) });
      if (answer.ok) location.reload();
    } catch {
      // it does not answer
    }
    askedAt = now();
  }

  setInterval(() => {
    const page = one(".wb-live"), sign = one(".wb-beat")?.dataset.beat;
    // a hidden page's timers rest, and a sleeping machine's do: that is not the session's silence
    quiet = !page || document.hidden || sign === undefined || sign !== beat ? 0 : quiet + Math.min(now() - lookedAt, 1);
    [beat, lookedAt] = [sign, now()];
    if (!page) return;
    if (quiet > LOST) beginAnew();
    else if (sign !== undefined && quiet < FRESH) startCamera(page.dataset);
  }, LOOK);
})();
