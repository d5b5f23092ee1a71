// How a permission looks: a word, a shape and a colour, each enough without the others.
// The same paths draw the icons of the map and those of the page (24 x 24 units).
// Hues are those of Okabe and Ito (2008), which differ for colour-blind eyes too, made lighter for
// the night and darker for the day until they stand out from the ground (WCAG AA).

export type Theme = "night" | "day";

export const PERMISSIONS = [
  "none",
  "permitted",
  "not_permitted",
  "undetermined",
  "not_subject",
] as const;
export type Permission = (typeof PERMISSIONS)[number];

export const PERMISSION_WORDS: Record<Permission, string> = {
  none: "Near no zone",
  permitted: "Permitted",
  not_permitted: "Not permitted",
  undetermined: "Undetermined",
  not_subject: "Not subject: crewed",
};

export const PERMISSION_COLOURS: Record<Theme, Record<Permission, string>> = {
  night: {
    none: "#8f9ba8",
    permitted: "#22b98d",
    not_permitted: "#f2763c",
    undetermined: "#f0e442",
    not_subject: "#56b4e9",
  },
  day: {
    none: "#5a6673",
    permitted: "#00704f",
    not_permitted: "#b84700",
    undetermined: "#6a5c00",
    not_subject: "#0063a3",
  },
};

interface Shape {
  outline: string;
  /** Drawn inside, as strokes. */
  mark?: string;
  filled: boolean;
}

export const SHAPES: Record<Permission, Shape> = {
  none: { outline: "M12 7.8a4.2 4.2 0 1 0 .01 0z", filled: true },
  permitted: { outline: "M5 5h14v14H5z", filled: true },
  not_permitted: { outline: "M12 2.5 22.5 20.5H1.5z", filled: true },
  undetermined: {
    outline: "M12 2.5a9.5 9.5 0 1 0 .01 0z",
    mark: "M9 9.6c0-1.8 1.3-2.9 3-2.9s3 1 3 2.6c0 2.2-3 2.3-3 4.6M12 16.6v.9",
    filled: false,
  },
  not_subject: {
    outline: "M12 1.5 14 9l8.5 5v2.2L14 13.6l-.5 5 3 2.2v1.4L12 21l-4.5 1.2v-1.4l3-2.2-.5-5-8.5 2.6V14L10 9z",
    filled: true,
  },
};

export function asPermission(word: string | undefined): Permission {
  return PERMISSIONS.find((p) => p === word) ?? "undetermined";
}

/** An icon for the page; it says its meaning beside it, so it is hidden from readers of the screen. */
export function icon(permission: Permission, size = 20, claim = false): SVGSVGElement {
  const shape = SHAPES[permission];
  const svg = svgElement("svg", {
    viewBox: "0 0 24 24",
    width: size,
    height: size,
    class: `symbol permission-${permission}`,
    "aria-hidden": "true",
  });
  const filled = shape.filled && !claim;
  svg.append(
    svgElement("path", {
      d: shape.outline,
      fill: filled ? "currentColor" : "none",
      stroke: "currentColor",
      "stroke-width": 2,
      "stroke-linejoin": "round",
      ...(claim ? { "stroke-dasharray": "3.2 2.4" } : {}),
    }),
  );
  if (shape.mark) {
    svg.append(
      svgElement("path", {
        d: shape.mark,
        fill: "none",
        stroke: "currentColor",
        "stroke-width": 2.2,
        "stroke-linecap": "round",
      }),
    );
  }
  return svg as SVGSVGElement;
}

export function svgElement(tag: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

export const PRIORITY_WORDS: Record<number, string> = {
  1: "Urgent",
  2: "High",
  3: "Medium",
  4: "Low",
};

export function priorityWord(priority: number): string {
  return PRIORITY_WORDS[priority] ?? "Low";
}

export const STRENGTH_WORDS: Record<string, string> = {
  none: "says nothing of itself",
  broadcast_only: "broadcast only: nothing checked it",
  consistent: "broadcast, and consistent with a measurement",
  authenticated: "authenticated",
  inconsistent: "INCONSISTENT: it is measured elsewhere than it says",
};

export const STATE_WORDS: Record<string, string> = {
  raised: "Raised",
  acknowledged: "Acknowledged",
  handed_over: "Handed over",
  shelved: "Shelved",
  closed: "Closed",
};

export const KIND_WORDS: Record<string, string> = {
  radar: "radar",
  direction_finder: "direction finder",
  remote_id: "Remote ID receiver",
  adsb: "ADS-B receiver",
  position: "position",
  upstream: "another system",
  person: "person",
};
