// What this browser remembers of the tour. Where it may not remember, nothing is offered: an offer
// that cannot be declined for good would come back with every board.

const KEY = "circuitboard.tour";

/** Whether the tour has been taken or declined here, or nobody can tell. */
export function isTourKnown(): boolean {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return true;
  }
}

// A page may show many boards: one of them makes the offer.
let offered = false;

/** Whether this view is the one that offers the tour; whoever is gives it back by `releaseOffer`. */
export function claimOffer(): boolean {
  if (offered || isTourKnown()) return false;
  offered = true;
  return true;
}

export function releaseOffer(): void {
  offered = false;
}

export function rememberTour(): void {
  try {
    localStorage.setItem(KEY, "seen");
  } catch {
    // A browser that keeps nothing is not asked again either.
  }
}
