// Keeps the kiosk going without anybody touching it: starts the camera, notices when the server or the camera is gone,
// says so, and begins anew when they are back. Runs once a page; a reload is the cure for everything.
(() => {
  if (window.whichbinKiosk) return;
  window.whichbinKiosk = true;

  const LOOK = 1000; // milliseconds between two looks; all other times are in seconds
  const FRESH = 2; // with a sign of life so long ago, the server need not be asked
  const ANSWER = 2; // that the server is given to say that it is well
  const STALE = 6; // without a sign of life from the page's session, it is not connected
  const LOST = 10; // ... and starts anew, if the server answers
  const YOUNG = 12; // a page is given this long before it is reloaded for its camera
  const CAMERA = 4; // of camera trouble before that
  const PATIENCE = 60; // the same if the browser has said why; pressing the start button again mostly helps
  const PRESS = 8; // between two presses of the start button
  const OLD = 6 * 3600; // then it reloads while nobody is there, so that nothing can grow for weeks
  const SCREEN = ".k:not(.k-over *)";
  const now = () => performance.now() / 1000;
  const one = (selector) => document.querySelector(selector);
  const health = location.pathname.replace(/kiosk\/?$/, "_stcore/health");

  let beat = "", beatAt = now(), failures = 0, offline = false, pressedAt = -PRESS, scene = "", sceneAt = now();
  let said = "", trouble = null; // of the camera, as the browser says

  async function cameraThere() {
    const devices = await navigator.mediaDevices?.enumerateDevices() ?? [];
    const permission = await navigator.permissions?.query({ name: "camera" }).catch(() => null); // not in every browser
    return permission?.state !== "denied" && devices.some((device) => device.kind === "videoinput");
  }

  function startCamera() {
    const inside = one('iframe[title*="webrtc"]')?.contentDocument;
    if (!inside?.head) return;
    if (!inside.getElementById("kiosk")) {
      // the component's buttons stay where they are, for the press below, but only its video is seen
      const style = inside.createElement("style");
      style.id = "kiosk";
      style.textContent = `html, body { background: transparent !important; overflow: hidden !important; }
        body * { visibility: hidden !important; }
        video { visibility: visible !important; position: fixed !important; inset: 0; width: 100% !important;
          height: 100% !important; max-height: none !important; object-fit: cover; }`;
      inside.head.append(style);
    }
    // No pictures reach the server. Where the page is not secure, a screen of its own says so.
    const dark = ["starting", "camera"].includes(one(SCREEN)?.dataset.scene) && window.isSecureContext;
    trouble = dark ? window.whichbinCameraTrouble(inside) ?? trouble : null;
    showOver();
    const label = one(".k-page")?.dataset.start;
    const button = [...inside.querySelectorAll("button")].find((b) => !b.disabled && b.textContent.trim() === label);
    if (button && now() - pressedAt > PRESS) {
      pressedAt = now();
      button.click();
    }
  }

  function showOver() {
    const over = one(".k-over"), kind = offline ? "offline" : trouble;
    if (!over) return;
    over.hidden = !kind;
    for (const screen of over.children) screen.hidden = screen.dataset.kind !== kind;
  }

  function showOffline(shown) {
    offline = shown;
    showOver();
  }

  function chime(context) {
    [659, 880].forEach((pitch, number) => {
      const tone = new OscillatorNode(context, { frequency: pitch });
      const volume = new GainNode(context, { gain: 0 });
      const start = context.currentTime + number * 0.14;
      volume.gain.setValueAtTime(0, start);
      volume.gain.linearRampToValueAtTime(0.2, start + 0.02);
      volume.gain.linearRampToValueAtTime(0, start + 0.3);
      tone.connect(volume).connect(context.destination);
      tone.start(start);
      tone.stop(start + 0.32);
    });
  }

  let audio = null;
  function speak() {
    const element = one(".k-spoken");
    const text = element?.textContent ?? "";
    if (text === said) return;
    said = text;
    if (element.dataset.aloud === "1") {
      speechSynthesis.cancel();
      if (text) {
        const words = new SpeechSynthesisUtterance(text);
        words.lang = element.lang;
        speechSynthesis.speak(words);
      }
    }
    if (one(".k-page")?.dataset.sound === "1" && one(SCREEN)?.dataset.scene === "answer") {
      audio ??= new AudioContext();
      chime(audio);
    }
  }

  async function look() {
    const page = one(".k-beat")?.dataset.beat ?? "";
    if (page !== beat) [beat, beatAt] = [page, now()];
    const quiet = now() - beatAt;
    failures = quiet < FRESH || (await window.whichbinReached(health, ANSWER)) ? 0 : failures + 1;
    const shown = one(SCREEN)?.dataset.scene ?? "";
    if (shown !== scene) [scene, sceneAt] = [shown, now()];

    if (failures >= 2) return showOffline(true); // never reload now: the browser's own error page would stay
    if (failures) return;
    if (offline || quiet > LOST) return location.reload();
    if (quiet > STALE && !offline) showOffline(true);
    const dark = ["camera", "camera_failed"].includes(scene) && window.isSecureContext; // or it takes too long to start
    if (dark && now() - sceneAt > (trouble ? PATIENCE : CAMERA) && now() > YOUNG && (await cameraThere())) return location.reload();
    if (scene === "attract" && now() - sceneAt > 60 && now() > OLD) location.reload();
  }

  async function keepAwake() {
    if (document.visibilityState !== "visible") return;
    await navigator.wakeLock?.request("screen").catch((reason) => console.info("No wake lock:", reason.message));
  }

  document.addEventListener("visibilitychange", keepAwake);
  keepAwake();
  new MutationObserver(speak).observe(document.body, { subtree: true, childList: true, characterData: true });
  setInterval(startCamera, 200);
  (async () => {
    for (;;) {
      await look();
      await new Promise((done) => setTimeout(done, LOOK));
    }
  })();
})();
