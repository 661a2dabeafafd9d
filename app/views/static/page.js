// What every page needs done in the browser, again after each change that Streamlit makes. Runs once a page.
(() => {
  if (window.whichbinPage) return;
  window.whichbinPage = true;
  const root = document.documentElement;

  // Browsers give no camera to a page at a plain HTTP address; that holds for addresses that their owner made an exception
  // for, too, so only the browser knows. The style sheets show what is for such a page.
  root.classList.toggle("wb-insecure", !window.isSecureContext);

  // Streamlit leaves the address of links to the default page empty (1.67.0), which a browser takes for the page that it
  // is on: on /photo the link to Live led to /photo, in a new tab as well as for the script of the live page. Every other
  // page is one level below the default one, so that "." is its address from all of them, under a sub-path too.
  const LINK = '[data-testid="stPageLink"] a[href=""]';

  // Streamlit calls the place for files presentational and gives it a label all the same (1.67.0), which is either or.
  const DROPZONE = '[data-testid="stFileUploaderDropzone"][role="presentation"]';

  // The page takes files of every type, to say why it cannot use one. What the browser offers first is photos.
  const FILES = '[data-testid="stFileUploader"] input[type="file"]';
  const PHOTOS = "image/*,.heic,.heif";

  // Streamlit's inputs speak English. Their texts are replaced, and remembered, as the page's language may change.
  const INPUTS = '[data-testid="stFileUploader"], [data-testid="stCameraInput"]';
  const replaced = new WeakMap(); // text node -> { original, ours }
  function translate(input, own) {
    const texts = document.createTreeWalker(input, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const node = texts.currentNode, before = replaced.get(node);
      const original = before && node.data === before.ours ? before.original : node.data;
      for (const [pattern, ours] of own) {
        const found = pattern.exec(original);
        if (!found) continue;
        const text = ours.replace("{size}", found.groups?.size);
        replaced.set(node, { original, ours: text });
        if (node.data !== text) node.data = text;
      }
    }
  }

  let written = "", own = [];
  function mend() {
    for (const link of document.querySelectorAll(LINK)) link.setAttribute("href", ".");
    for (const zone of document.querySelectorAll(DROPZONE)) zone.setAttribute("role", "group");
    for (const files of document.querySelectorAll(FILES)) if (files.accept !== PHOTOS) files.accept = PHOTOS;
    for (const place of document.querySelectorAll(".wb-origin"))
      if (place.textContent !== location.origin) place.textContent = location.origin;
    const page = document.querySelector(".wb-page")?.dataset;
    if (!page) return;
    if (root.lang !== page.lang) root.lang = page.lang;
    const header = document.querySelector(".st-key-header");
    if (header && header.ariaLabel !== page.navigation) [header.role, header.ariaLabel] = ["navigation", page.navigation];
    if (page.own !== written) {
      written = page.own;
      own = Object.entries(JSON.parse(written)).map(([pattern, ours]) => [new RegExp(`^${pattern}$`), ours]);
    }
    for (const input of document.querySelectorAll(INPUTS)) translate(input, own);
  }
  // A fault in Streamlit's own script takes everything off the page and leaves it white for good: "Bad delta path index",
  // seen in 1 of 24 first visits to a busy server (1.67.0), for a reason that is mended in live.py. The page begins anew.
  const WHITE = 2000, LOOK = 500; // milliseconds
  let whiteSince = null;
  setInterval(() => {
    whiteSince = document.querySelector(".stApp") ? null : whiteSince ?? performance.now();
    if (whiteSince !== null && performance.now() - whiteSince > WHITE) location.reload();
  }, LOOK);

  new MutationObserver(mend).observe(document, {
    subtree: true, childList: true, characterData: true, attributeFilter: ["href", "data-lang"],
  });
  mend();
})();
