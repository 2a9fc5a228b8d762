// The tour is offered once a browser, on a board that is there and works.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { BoardState } from "../../../store/state";
import { useHelp } from "../context";
import { claimOffer, releaseOffer, rememberTour } from "./remembered";
import { TourOffer } from "./Tour";

export function Offer({ state }: { state: BoardState }): JSX.Element | null {
  const { open, show } = useHelp();
  const [mine, setMine] = useState(claimOffer);
  useEffect(() => (mine ? releaseOffer : undefined), [mine]);
  if (!mine || open === "tour" || state.setup === null || !state.connected) return null;
  const answer = (takes: boolean): void => {
    rememberTour();
    setMine(false);
    if (takes) show("tour");
  };
  return <TourOffer onTake={() => answer(true)} onDecline={() => answer(false)} />;
}
