// Why the camera's component has no video, as one of the kinds that the pages have words for; null if it has not failed.
// The component says it in English in an alert of its own, "NotAllowedError: Permission denied", which is read here: that
// holds for whatever it fails at, be it the camera or the connection (streamlit-webrtc 0.79.0).
window.whichbinCameraTrouble = (inside) => {
  // https://w3c.github.io/mediacapture-main/#dom-mediadevices-getusermedia
  const KINDS = {
    NotAllowedError: "refused", SecurityError: "refused",
    NotFoundError: "missing",
    NotReadableError: "busy", AbortError: "busy",
    OverconstrainedError: "unsuitable",
  };
  const alert = inside.querySelector(".MuiAlert-colorError");
  if (!alert) return null;
  if (!inside.defaultView.navigator.mediaDevices?.getUserMedia) return "no_api";
  return KINDS[alert.textContent.split(":")[0].trim()] ?? "failed";
};
