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
  const STALLED = 4; // a video without a new picture is connected anew, if the session is there
  const SILENT = 6; // without a sign of life, there is no connection, and what the page says is stale
  const LOST = 15; // without a sign of life, the page begins anew as soon as the server answers
  const HEALTH = "_stcore/health";
  const ANSWER = 1.5; // that it is given for an answer
  const PRESS = 2; // until a button is pressed again, twice as long each time
  const PRESS_MOST = 30;
  const LEFT = 1; // after a link was pressed the page is left, or it is pressed again
  const SETTLED = 5; // ... for so long
  const AGAIN = ["missing", "busy", "failed"]; // camera troubles that may end by themselves, so that it is tried again
  const one = (selector) => document.querySelector(selector);
  const now = () => performance.now() / 1000;

  // Of each of the component's documents: `stopped` by its visitor, who alone starts it again; its `trouble`, until there
  // is video; whether it has `played`, as what never did (a refused camera, no way through) is not tried again; when it
  // may be pressed the next time; how many pictures its video has `shown`, and for how long there was none.
  const components = new WeakMap();
  let beat = "", quiet = 0, lookedAt = now(), asking = false;
  let granted = false; // since the camera was refused
  let wanted = null, wantedAt = 0, followedAt = 0;

  function known(inside) {
    let component = components.get(inside);
    if (component) return component;
    component = { stopped: false, trouble: null, played: false, pressed: false, next: 0, wait: PRESS, shown: 0, still: 0 };
    components.set(inside, component);
    const style = inside.createElement("style"); // its own words for troubles are English, and a developer's
    style.textContent = `.MuiAlert-root { display: none !important; }
      .MuiButton-root { font-family: inherit !important; font-weight: 500 !important; text-transform: none !important;
        letter-spacing: normal !important; border-radius: .6rem !important; box-shadow: none !important; }
      .MuiButton-contained { background: #0B7A4B !important; color: #FFFFFF !important; }
      .MuiButton-root:focus-visible { outline: 2px solid currentColor !important; outline-offset: 2px; }`;
    inside.head.append(style);
    inside.defaultView.navigator.mediaDevices?.addEventListener("devicechange", () => (component.next = 0));
    const pressed = (event) => {
      const button = event.isTrusted && event.target.closest("button"); // not the presses below
      if (!button) return;
      component.stopped = button.textContent.trim() === one(".wb-live")?.dataset.stop;
      component.trouble = null;
      component.next = now() + PRESS; // pressed again at once, the component would open two connections
    };
    inside.addEventListener("click", pressed, true);
    return component;
  }

  function watch(component, video, elapsed) {
    const shown = video?.getVideoPlaybackQuality().totalVideoFrames ?? 0; // its time goes on without pictures
    component.still = shown === component.shown ? component.still + elapsed : 0;
    component.shown = shown;
    if (shown && !component.still) [component.played, component.wait, component.trouble] = [true, PRESS, null];
  }

  function press(inside, label) {
    const button = [...inside.querySelectorAll("button")].find((b) => b.textContent.trim() === label);
    if (!button || button.disabled) return false;
    button.click();
    return true;
  }

  function startCamera(component, inside, words) {
    const again = component.played || AGAIN.includes(component.trouble) || (component.trouble === "refused" && granted);
    if (component.stopped || (component.pressed && !again) || now() < component.next) return;
    granted = false;
    const stalled = component.shown && component.still > STALLED;
    if (stalled && press(inside, words.stop)) return; // and at the next look:
    if (!press(inside, words.start)) return;
    [component.pressed, component.next] = [true, now() + component.wait];
    component.wait = Math.min(2 * component.wait, PRESS_MOST);
  }

  // What stands in the answer's place; null for the answer.
  function instead(component) {
    const connection = one(".stApp")?.dataset.testConnectionState; // Streamlit's, which notices a server that is gone
    if (quiet > SILENT || (connection && connection !== "CONNECTED")) return "offline";
    if (!component) return null;
    if (component.stopped) return "stopped";
    if (component.trouble) return component.trouble;
    return component.shown || one(".st-key-verdict .wb-notice") ? null : "starting"; // the server may know what is wrong
  }

  function show(kind) {
    const root = document.documentElement;
    if (kind) root.dataset.camera = kind;
    else delete root.dataset.camera;
    for (const card of document.querySelectorAll(".wb-trouble")) card.hidden = card.dataset.kind !== kind;
  }

  navigator.permissions?.query({ name: "camera" }).then(
    (permission) => (permission.onchange = () => (granted = permission.state === "granted")),
    () => {}, // not in every browser; the visitor presses the button then
  );

  async function beginAnew() {
    if (asking) return;
    asking = true;
    if ((await window.whichbinReached(HEALTH, ANSWER)) && quiet > LOST) location.reload();
    setTimeout(() => (asking = false), 500);
  }

  // Streamlit comes back from a page to this one, or never leaves it, when something that this page asks for right after
  // a link or the browser's back was pressed still names this one (seen in 1.67.0). The camera's component does so while
  // it starts, so it ends first. What is asked for four times a second does so too, rarely: the link is pressed again.
  // Meanwhile the page that was left must not become an entry of the browser's history, or forward leads nowhere.
  const LINK = '[data-testid="stPageLink"] a';
  const CAMERA = 'iframe[title*="webrtc"]';
  const elsewhere = () => wanted && wanted !== new URL(".", location).pathname && now() - wantedAt < SETTLED;

  function leaveFor(path) {
    wanted = path;
    wantedAt = followedAt = now();
    if (elsewhere()) one(CAMERA)?.contentWindow.location.replace("about:blank");
  }
  addEventListener("popstate", () => leaveFor(location.pathname));
  document.addEventListener("click", (event) => {
    const inAnother = event.ctrlKey || event.metaKey || event.shiftKey; // tab or window
    if (event.isTrusted && !inAnother) leaveFor(event.target.closest(LINK)?.pathname);
  }, true);

  const pushState = history.pushState.bind(history);
  history.pushState = (state, unused, url) => {
    if (!elsewhere() || new URL(url, location).pathname === wanted) pushState(state, unused, url);
  };

  function follow() {
    if (!elsewhere() || now() - followedAt < LEFT) return;
    followedAt = now();
    [...document.querySelectorAll(LINK)].find((link) => link.pathname === wanted)?.click();
  }

  setInterval(() => {
    const page = one(".wb-live"), sign = one(".wb-beat")?.dataset.beat;
    const elapsed = Math.min(now() - lookedAt, 1); // a sleeping machine's silence is not the session's
    const heard = !page || document.hidden || sign === undefined || sign !== beat; // a hidden page's timers rest
    quiet = heard ? 0 : quiet + elapsed;
    [beat, lookedAt] = [sign, now()];
    const inside = one(CAMERA)?.contentDocument;
    if (page) follow();
    else show(null);
    if (!page || document.hidden) return;
    const component = inside?.body && inside.head ? known(inside) : null;
    if (component) {
      component.trouble = window.whichbinCameraTrouble(inside) ?? component.trouble;
      watch(component, inside.querySelector("video"), elapsed);
    }
    show(instead(component));
    if (!component) return;
    if (quiet > LOST) beginAnew();
    else if (sign !== undefined && quiet < FRESH) startCamera(component, inside, page.dataset);
  }, LOOK);
})();
