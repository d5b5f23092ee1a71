// Ready-made texts of the permit office. They go into a field and are edited there before they are
// sent. A site that wants others changes this file alone.

export interface Template {
  title: string;
  text: string;
}

/** Conditions of a grant; one condition a line. */
export const CONDITIONS: Template[] = [
  { title: "Height", text: "Not higher than 60 m above ground." },
  { title: "Call before take-off", text: "Call the watch room before take-off and after landing." },
  { title: "Observer", text: "An observer with a radio stands beside the pilot." },
  { title: "No people below", text: "Nobody who is not part of the operation is flown over." },
  { title: "Daylight", text: "From sunrise to sunset only." },
  { title: "Wind", text: "Not with gusts above 10 m/s." },
  { title: "Land on request", text: "Land within two minutes when the watch room asks for it." },
  { title: "Insurance at hand", text: "Proof of insurance and this permit are at hand on the day." },
];

/** Reasons of a refusal. */
export const REFUSALS: Template[] = [
  {
    title: "Protected event",
    text: "The zone protects an event at the time that is asked for; no exception is made then.",
  },
  {
    title: "Too close to people",
    text: "The area that is asked for lies over places where people gather; the safety of those below is not shown.",
  },
  {
    title: "Incomplete",
    text: "What was asked for was not sent in time; the application cannot be examined.",
  },
  {
    title: "Another authority",
    text: "The flight needs the leave of another authority, which has not been shown.",
  },
  {
    title: "In the way of rescue flights",
    text: "The area is kept free for rescue flights at the time that is asked for.",
  },
];

/** Questions to an applicant. */
export const QUESTIONS: Template[] = [
  { title: "Payload", text: "Which payload is carried, and what does it weigh?" },
  { title: "Safe landing", text: "Where will the aircraft land if its link is lost?" },
  { title: "Proof of identity", text: "Please prove who you are: eID, or in person at the office." },
  { title: "Other authority", text: "Please send the leave of the other authority that is concerned." },
  { title: "Smaller area", text: "Can the flight be done in a smaller area, or lower? Please say why not." },
];

/** Why a permit is suspended or revoked. */
export const TAKEN_BACK: Template[] = [
  { title: "Rescue flight", text: "A rescue helicopter is on its way; the air must be free." },
  { title: "Condition broken", text: "A condition of the permit was not kept." },
  { title: "Ban", text: "An emergency ban covers the area." },
  { title: "Weather", text: "The weather no longer allows the flight." },
];
