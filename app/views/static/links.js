// Gives the links to the default page an address. Streamlit leaves it empty (1.67.0), which a browser takes for the page
// that it is on: on /photo the link to Live led to /photo, in a new tab as well as for the script of the live page.
// Every other page is one level below the default one, so that "." is its address from all of them, under a sub-path too.
(() => {
  if (window.whichbinLinks) return;
  window.whichbinLinks = true;
  const mend = () => {
    for (const link of document.querySelectorAll('[data-testid="stPageLink"] a[href=""]')) link.setAttribute("href", ".");
  };
  new MutationObserver(mend).observe(document, { subtree: true, childList: true, attributeFilter: ["href"] });
  mend();
})();
