// The steps of a permit's lifecycle as the page offers them: from which state, to whom, with what.

import { actsAs } from "../messages";
import type { Role } from "./site";
import { CONDITIONS, QUESTIONS, REFUSALS, TAKEN_BACK, type Template } from "./permit-templates";

/** What goes with a step beside its reason. */
export type Term = "conditions" | "land_by" | "decide_by" | "identity_proof";

export interface Step {
  step: string;
  /** On the button that opens it, and on the one that takes it. */
  open: string;
  act: string;
  /** What is said once it is done. */
  done: string;
  from: string[];
  /** Beside the permit office, the watch officer may take it (service/permits.py). */
  officer: boolean;
  why: string;
  whyNeeded: boolean;
  templates: Template[];
  terms: Term[];
  danger: boolean;
}

const PLAIN = { officer: false, whyNeeded: false, templates: [], terms: [], danger: false };
const UNDECIDED = ["submitted", "information_requested", "under_review"];
const HELD = ["granted", "activated", "suspended"];

/** From core/permit.py, PERMIT_TRANSITIONS; a test holds the two against each other. */
export const STEPS: Step[] = [
  {
    ...PLAIN,
    step: "submit",
    open: "Submit the draft …",
    act: "Submit it",
    done: "Submitted",
    from: ["draft"],
    why: "Remark (optional)",
  },
  {
    ...PLAIN,
    step: "review",
    open: "Take under review …",
    act: "Take it under review",
    done: "Under review",
    from: ["submitted"],
    why: "Remark (optional)",
    terms: ["identity_proof", "decide_by"],
  },
  {
    ...PLAIN,
    step: "request_information",
    open: "Request information …",
    act: "Send the question",
    done: "The holder is asked",
    from: ["submitted", "under_review"],
    why: "What is asked of the applicant?",
    whyNeeded: true,
    templates: QUESTIONS,
    terms: ["decide_by"],
  },
  {
    ...PLAIN,
    step: "answer",
    open: "Enter the answer …",
    act: "Enter it",
    done: "Answered, under review",
    from: ["information_requested"],
    why: "What did the applicant answer?",
    terms: ["identity_proof"],
  },
  {
    ...PLAIN,
    step: "grant",
    open: "Grant …",
    act: "Grant it",
    done: "Granted",
    from: ["submitted", "under_review"],
    why: "Reason (optional)",
    terms: ["conditions"],
  },
  {
    ...PLAIN,
    step: "refuse",
    open: "Refuse …",
    act: "Refuse it",
    done: "Refused",
    from: UNDECIDED,
    why: "Why is it refused?",
    whyNeeded: true,
    templates: REFUSALS,
    danger: true,
  },
  {
    ...PLAIN,
    step: "confirm",
    open: "Confirm the exemption …",
    act: "Confirm it",
    done: "Confirmed",
    from: ["provisional"],
    officer: true,
    why: "By whom was it confirmed, and how? (optional)",
  },
  {
    ...PLAIN,
    step: "activate",
    open: "Activate before take-off …",
    act: "Activate it",
    done: "Activated",
    from: ["granted"],
    officer: true,
    why: "Remark (optional)",
  },
  {
    ...PLAIN,
    step: "end",
    open: "End after landing …",
    act: "End it",
    done: "Ended",
    from: ["activated"],
    officer: true,
    why: "Remark (optional)",
  },
  {
    ...PLAIN,
    step: "suspend",
    open: "Suspend …",
    act: "Suspend it now",
    done: "Suspended",
    from: ["granted", "activated"],
    officer: true,
    why: "Why is it suspended?",
    whyNeeded: true,
    templates: TAKEN_BACK,
    terms: ["land_by"],
    danger: true,
  },
  {
    ...PLAIN,
    step: "resume",
    open: "Resume …",
    act: "Resume it",
    done: "Resumed",
    from: ["suspended"],
    officer: true,
    why: "Remark (optional)",
  },
  {
    ...PLAIN,
    step: "revoke",
    open: "Revoke …",
    act: "Revoke it now",
    done: "Revoked",
    from: [...HELD, "provisional"],
    officer: true,
    why: "Why is it revoked?",
    whyNeeded: true,
    templates: TAKEN_BACK,
    terms: ["land_by"],
    danger: true,
  },
];

/** What the ready-made texts of a condition are; they go with a grant. */
export const CONDITION_TEMPLATES = CONDITIONS;

/** The steps that this person may take from this state. */
export function stepsFor(state: string, role: Role | undefined): Step[] {
  const may = (step: Step) => role === "permit_officer" || (step.officer && role !== undefined && actsAs(role) === "watch_officer");
  return STEPS.filter((step) => step.from.includes(state) && may(step));
}

/** Why nothing is offered; empty if something is. */
export function whyNoStep(state: string, role: Role | undefined): string {
  if (stepsFor(state, role).length > 0) return "";
  const others = STEPS.some((step) => step.from.includes(state));
  if (!others) return "Nothing more can happen to it.";
  if (role === undefined) return "The site has not yet said what you may do.";
  return "The next step is the permit office's.";
}
