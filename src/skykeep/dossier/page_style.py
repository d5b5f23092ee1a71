"""The page's style: light, dark, narrow and printed.

The line colours are those of Okabe and Ito (2008, "Color Universal Design"), which people
with any common colour blindness can tell apart, darkened or lightened for contrast; each
also has its own dash and sign.
"""

from __future__ import annotations

SHEET = """
:root{color-scheme:light dark;--ground:#fff;--panel:#f4f5f7;--ink:#16181d;--soft:#525a66;
--rule:#cdd2da;--banned:#b53d00;--unsure:#8a6100;--allowed:#00659e;--exempt:#5d6470;
--zone:#7a3b66;--part:#16181d;--halo:#fff;--map:#fbfbfc}
@media screen and (prefers-color-scheme:dark){:root{--ground:#14161a;--panel:#1e2127;
--ink:#eceef1;--soft:#aab2be;--rule:#3d434d;--banned:#ff8a4d;--unsure:#f0b93a;
--allowed:#62bdf0;--exempt:#b3bac5;--zone:#d79ac2;--part:#fff;--halo:#14161a;--map:#191c21}}
*{box-sizing:border-box}
html{background:var(--ground);-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:72rem;padding:1.5rem 1.25rem 4rem;color:var(--ink);
background:var(--ground);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
h1{font-size:2rem;line-height:1.2;margin:.2rem 0 .6rem}
h2{font-size:1.4rem;line-height:1.25;margin:3rem 0 .4rem;padding-top:.8rem;
border-top:3px solid var(--ink)}
h3{font-size:1.12rem;margin:2rem 0 .4rem}
h4{font-size:1rem;margin:1.2rem 0 .3rem}
p{margin:.4rem 0;max-width:46rem}
a{color:inherit}
ul,ol{padding-left:1.3rem;margin:.4rem 0;max-width:46rem}
.words{white-space:pre-line}
.kicker,.lead,caption,figcaption,.note{color:var(--soft)}
.kicker{margin:0;font-weight:600}
.lead{margin-bottom:1rem}
.summary{font-size:1.15rem;max-width:46rem;padding-left:0;list-style:none}
.summary li{margin:.45rem 0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:.6rem 0;
max-width:56rem}
dt{color:var(--soft)}
dd{margin:0}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.75rem;
margin:1.2rem 0;padding:0;list-style:none;max-width:none}
.figures li{background:var(--panel);border-radius:.4rem;padding:.7rem .9rem}
.figures .label,.figures .of{display:block;color:var(--soft);font-size:.9rem;line-height:1.35}
.figures strong{display:block;font-size:1.4rem;line-height:1.25;margin:.1rem 0}
nav{margin:1rem 0;font-size:.95rem}
nav ol{display:flex;flex-wrap:wrap;gap:.2rem 1.3rem;list-style:none;padding:0;max-width:none}
.maps{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));
gap:1.25rem;align-items:start;margin:1rem 0}
figure{margin:0}
.maps figure{max-width:44rem}
figcaption{font-size:.92rem;margin:.35rem 0}
.maps svg{display:block;width:100%;height:auto;border:1px solid var(--rule);
background:var(--map);border-radius:.3rem}
svg text{font:600 13px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;
fill:var(--ink);paint-order:stroke;stroke:var(--halo);stroke-width:4px;stroke-linejoin:round}
svg .minor{font-weight:400;font-size:12px;fill:var(--soft)}
svg .zone-name{fill:var(--zone);font-weight:600}
svg .zone{fill:var(--zone);fill-opacity:.07;stroke:var(--zone);stroke-width:2}
svg .emergency{stroke-dasharray:14 4 3 4;stroke-width:2.5;fill-opacity:.04}
svg .line{fill:none;stroke-width:3;stroke-linejoin:round;stroke-linecap:butt}
svg .under{fill:none;stroke:var(--halo);stroke-width:6;stroke-opacity:.8}
svg .banned{stroke:var(--banned)}svg .unsure{stroke:var(--unsure)}
svg .allowed{stroke:var(--allowed)}svg .exempt,svg .unjudged{stroke:var(--exempt)}
svg .tick{stroke-width:2.5}
svg .first{fill:var(--map);stroke-width:3}
svg .head{stroke:none}
svg .banned.head,svg .banned.last{fill:var(--banned)}
svg .unsure.head,svg .unsure.last{fill:var(--unsure)}
svg .allowed.head,svg .allowed.last{fill:var(--allowed)}
svg .exempt.head,svg .exempt.last,svg .unjudged.head,svg .unjudged.last{fill:var(--exempt)}
svg .sensor{fill:var(--map);stroke:var(--ink);stroke-width:2}
svg .part{stroke:var(--part);stroke-width:3;fill:none}
svg .closer{fill:none;stroke:var(--soft);stroke-width:1.2;stroke-dasharray:4 4}
svg .plate{fill:var(--map);fill-opacity:.85}
svg .scale{stroke:var(--ink);stroke-width:2;fill:none}
svg .needle{fill:var(--ink)}
svg .doubt{stroke:none;fill-opacity:.1}
svg .doubt.banned{fill:var(--banned)}svg .doubt.unsure{fill:var(--unsure)}
svg .doubt.allowed{fill:var(--allowed)}
svg .doubt.exempt,svg .doubt.unjudged{fill:var(--exempt)}
svg .then .doubt{fill-opacity:.2;stroke-width:1.5}
svg .then .line{stroke-width:4}
svg .place{stroke:var(--halo);stroke-width:1.5}
svg .place.banned{fill:var(--banned)}svg .place.unsure{fill:var(--unsure)}
svg .place.allowed{fill:var(--allowed)}
svg .place.exempt,svg .place.unjudged{fill:var(--exempt)}
svg .cover{fill:var(--allowed);fill-opacity:.03;stroke:var(--allowed);stroke-width:1.5}
svg .covers{fill:var(--allowed);fill-opacity:.05;stroke:var(--allowed);stroke-width:1}
svg .covers.silent{fill:none;stroke:var(--banned);stroke-dasharray:3 5}
svg .covers.unknown{fill:none;stroke-dasharray:2 6}
svg .spot{fill:var(--ink)}
.going svg.map:not(.cover-map) .all>.line,.going svg.map .under,.going svg.map .head,
.going svg.map .tick,.going svg.map .all>.doubt,.going svg.map .first,.going svg.map .last{
opacity:.12}
.going svg.map .names{opacity:.35}
svg .zone.off{fill-opacity:0;stroke-opacity:.25}
.later td{color:var(--soft);font-style:italic;background:var(--panel)}
.single figure{max-width:36rem}
.wide{margin:1rem 0}
svg.lanes{display:block;width:100%;height:auto;border:1px solid var(--rule);
background:var(--map);border-radius:.3rem}
svg .grid{stroke:var(--rule);stroke-width:1}
svg .alarm{stroke:var(--banned);stroke-width:1.5;stroke-dasharray:5 4}
svg .cursor{stroke:var(--ink);stroke-width:2}
svg .bar{stroke:var(--ink);stroke-width:1;fill:var(--panel)}
svg .bar.unknown{fill:none;stroke-dasharray:2 4}
svg .bar.silent{fill:none;stroke:var(--banned)}
svg .crossed{stroke:var(--banned);stroke-width:1.5;fill:none}
svg .seen{stroke:var(--allowed);stroke-width:1.5;fill:none}
.player{border:2px solid var(--ink);border-radius:.4rem;padding:.6rem 1rem .8rem;margin:1rem 0;
background:var(--panel)}
.player[hidden]{display:none}
.player input[type=range]{display:block;width:100%;height:1.8rem;margin:.2rem 0 .4rem;
accent-color:var(--ink)}
.player #when{font-size:1.5rem;font-weight:650;font-variant-numeric:tabular-nums}
.player button{font:inherit;padding:.35rem .8rem;border:1px solid var(--ink);border-radius:.3rem;
background:var(--ground);color:var(--ink);cursor:pointer}
.buttons{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center}
.aside{border-left:4px solid var(--rule);padding:.1rem 0 .1rem 1rem;margin:.8rem 0;
color:var(--soft)}
.legend{display:flex;flex-wrap:wrap;gap:.4rem 1.4rem;list-style:none;padding:0;
font-size:.95rem;max-width:none}
.legend svg{width:44px;height:16px;vertical-align:-3px;margin-right:.4rem}
.permission{font-weight:650;white-space:nowrap}
.permission.banned{color:var(--banned)}.permission.unsure{color:var(--unsure)}
.permission.allowed{color:var(--allowed)}
.permission.exempt,.permission.unjudged{color:var(--exempt)}
table{border-collapse:collapse;width:100%;margin:.8rem 0 1.2rem;font-size:.95rem}
caption{text-align:left;padding:.2rem 0;font-size:.92rem}
th,td{text-align:left;vertical-align:top;padding:.4rem .8rem .4rem 0;
border-bottom:1px solid var(--rule)}
th{border-bottom:2px solid var(--ink);font-size:.88rem}
td:first-child{min-width:5.5rem}
td ul{margin:0;padding-left:1rem}
.three{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,15rem),1fr));
gap:.75rem;margin:.8rem 0}
.three>div{border:1px solid var(--rule);border-top:4px solid var(--ink);border-radius:.3rem;
padding:.5rem .8rem .7rem}
.three h4{margin:.1rem 0 .2rem;color:var(--soft);font-weight:600;font-size:.92rem}
.three p{margin:.15rem 0}
.card{border-left:4px solid var(--rule);padding:.1rem 0 .1rem 1rem;margin:1.2rem 0}
.card h3{margin-top:0}
blockquote{margin:.5rem 0;padding:0;font-size:1.05rem}
code,pre{font-family:ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.92em}
pre{background:var(--panel);padding:.7rem .9rem;border-radius:.3rem;white-space:pre-wrap}
.id{white-space:nowrap}
.tag{white-space:nowrap;font-weight:600}
.notice{border:2px solid var(--ink);border-radius:.3rem;padding:.6rem .9rem;margin:1rem 0;
max-width:48rem}
:focus-visible{outline:3px solid var(--allowed);outline-offset:2px}
@media screen and (max-width:42rem){
body{padding:1rem .9rem 3rem}h1{font-size:1.55rem}.figures{grid-template-columns:1fr 1fr}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.45rem}
svg text{font-size:17px}svg .minor{font-size:16px}
table,tbody,tr,td,caption{display:block;width:100%}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{border-bottom:2px solid var(--rule);padding:.5rem 0}
td{border:0;padding:.1rem 0;display:grid;grid-template-columns:7rem 1fr;gap:.6rem}
td::before{content:attr(data-label);color:var(--soft);font-size:.88rem}}
@media print{@page{margin:15mm}html{font-size:9.5pt}body{max-width:none;padding:0}
h1{font-size:18pt}h2{font-size:13pt;break-after:avoid;margin-top:1.4rem}h3,h4{break-after:avoid}
nav,.player{display:none}tr,figure,.card,.three,.figures li{break-inside:avoid}
.maps{display:flex;gap:6mm}.maps figure{flex:1 1 0;max-width:7.2cm}
.figures{gap:.4rem;grid-template-columns:repeat(auto-fit,minmax(7rem,1fr))}.summary{font-size:11pt}
thead{display:table-header-group}}
"""
