// node_modules/preact/dist/preact.mjs
var n;
var t;
var r;
var u;
var i;
var f;
var o;
var e;
var l;
var c;
var a;
var s;
var h = /* @__PURE__ */ Symbol.for("pv");
var p = {};
var y = [];
var v = /^m(i|n|o|s|text|space)$/;
var w = Array.isArray;
var d = y.slice;
var _ = Object.assign;
function g(n2) {
  n2 && n2.parentNode && n2.remove();
}
function m(r3, u3, i3, f4, o4) {
  var e3 = { type: r3, props: u3, key: i3, ref: f4, __k: null, __: null, __b: 0, __e: null, __c: null, constructor: h, __v: o4 || ++t, __i: -1, __u: 0 };
  return !o4 && n.vnode && n.vnode(e3), e3;
}
function $(n2) {
  return n2.children;
}
function x(n2, t3) {
  this.props = n2, this.context = t3, this.__g = 0;
}
function S(n2, t3) {
  if (null == t3) return n2.__ && S(n2.__, n2.__i + 1);
  for (var r3; t3 < n2.__k.length; t3++) if ((r3 = n2.__k[t3]) && r3.__e) return r3.__e;
  return "function" != typeof n2.type || n2.props.__P ? null : S(n2);
}
function C(t3) {
  var r3, u3 = t3.__v, i3 = u3.__e, f4 = [], o4 = [], e3 = t3.__P;
  e3 && ((r3 = _({ constructor: h }, u3)).__v = u3.__v + 1, n.vnode && n.vnode(r3), z(e3, r3, u3, t3.__n, e3.namespaceURI, 32 & u3.__u ? [i3] : null, f4, i3 || S(u3), 32 & u3.__u, o4), r3.__v = u3.__v, r3.__.__k[r3.__i] = r3, E(f4, r3, o4), u3.__ = u3.__e = null, r3.__e != i3 && j(r3));
}
function j(n2) {
  if ((n2 = n2.__) && n2.__c && !n2.props.__P) return n2.__e = null, n2.__k.some(function(t3) {
    return t3 && (n2.__e = t3.__e);
  }), j(n2);
}
function L(t3) {
  (8 & t3.__g || (t3.__g |= 8, u.push(t3), f++)) && i == n.debounceRendering || ((i = n.debounceRendering) || queueMicrotask)(H);
}
function H() {
  try {
    for (var n2, t3 = 1; u.length; ) u.length > t3 && u.sort(o), n2 = u.shift(), t3 = u.length, 8 & n2.__g && C(n2);
  } finally {
    (f = u.length) && (i || queueMicrotask)(H);
  }
}
function I(n2, t3, r3, u3, i3, f4, o4, e3, l3, c3, a4) {
  var s3, h3, v3, w3, d3, _3, g3 = u3.__k || y, k2 = t3.length;
  for (l3 = q(r3, t3, g3, l3, k2), s3 = 0; s3 < k2; s3++) null != (v3 = r3.__k[s3]) && (h3 = ~v3.__i && g3[v3.__i] || p, v3.__i = s3, _3 = z(n2, v3, h3, i3, f4, o4, e3, l3, c3, a4), w3 = v3.__e, (h3.ref != v3.ref || 8 & h3.__u) && (h3.ref && G(h3.ref, null, v3, h3), v3.ref && a4.push(v3.ref, v3.__c || w3, v3)), d3 = d3 || w3, 4 & v3.__u ? (l3 = A(v3, l3, n2, !h3.__v), h3.__e && (h3.__e = null)) : "function" == typeof v3.type && void 0 !== _3 ? l3 = _3 : w3 && (l3 = w3.nextSibling), v3.__u &= -21);
  return r3.__e = d3, l3;
}
function q(n2, t3, r3, u3, i3) {
  var f4, o4, e3, l3, c3, a4, s3, p3, y3, v3 = r3.length, d3 = v3, _3 = 0, g3 = 0, k2 = n2.__k = Array(i3);
  for (f4 = 0; f4 < i3; f4++) null != (o4 = t3[f4]) && "boolean" != typeof o4 && "function" != typeof o4 ? ("object" != typeof o4 || o4.constructor === String ? o4 = k2[f4] = m(null, o4) : w(o4) ? o4 = k2[f4] = m($, { children: o4 }) : o4.constructor === h && o4.__b ? o4 = k2[f4] = m(o4.type, o4.props, o4.key, o4.ref, o4.__v) : k2[f4] = o4, l3 = f4 + _3, o4.__ = n2, o4.__b = n2.__b + 1, e3 = null, ~(c3 = o4.__i = P(o4, r3, l3, d3)) && (d3--, (e3 = r3[c3]) && (e3.__u |= 2)), e3 && e3.__v ? (o4.__u |= 16, c3 == l3 - 1 ? _3-- : c3 == l3 + 1 ? _3++ : c3 != l3 && (c3 > l3 ? _3-- : _3++, g3 = 1)) : (~c3 || (i3 > v3 ? _3-- : i3 < v3 && _3++), "function" != typeof o4.type && (o4.__u |= 4))) : k2[f4] = null;
  if (g3) {
    for (a4 = [], s3 = [], f4 = 0; f4 < i3; f4++) if ((o4 = k2[f4]) && 16 & o4.__u) {
      for (_3 = 0, p3 = a4.length; _3 < p3; ) a4[y3 = _3 + p3 >> 1] < o4.__i ? _3 = y3 + 1 : p3 = y3;
      a4[_3] = o4.__i, s3[f4] = _3 + 1;
    }
    for (_3 = a4.length; f4--; ) s3[f4] && (s3[f4] == _3 ? _3-- : k2[f4].__u |= 4);
  }
  if (d3) for (f4 = 0; f4 < v3; f4++) !(e3 = r3[f4]) || 2 & e3.__u || (e3.__e == u3 && (u3 = S(e3)), J(e3, e3));
  return u3;
}
function A(n2, t3, r3, u3) {
  var i3, f4, o4, e3;
  if ("function" == typeof n2.type) {
    if (n2.props.__P) return t3;
    if (i3 = n2.__k) for (f4 = 0; f4 < i3.length; f4++) i3[f4] && (i3[f4].__ = n2, t3 = A(i3[f4], t3, r3, false));
    return t3;
  }
  for (t3 && !t3.parentNode && (t3 = S(n2)) && !t3.parentNode && (t3 = null), o4 = n2.__e, e3 = t3; e3 && 8 == e3.nodeType; ) e3 = e3.nextSibling;
  for (o4 != e3 && (!u3 && r3.moveBefore && o4.parentNode ? r3.moveBefore(o4, t3) : r3.insertBefore(o4, t3 || null)), t3 = o4; (t3 = t3 && t3.nextSibling) && 8 == t3.nodeType && !t3.data.startsWith("$s"); ) ;
  return t3;
}
function P(n2, t3, r3, u3) {
  var i3, f4 = n2.key, o4 = n2.type, e3 = t3[r3], l3 = e3 && !(2 & e3.__u);
  if (null === e3 && null == f4 || l3 && f4 == e3.key && o4 == e3.type) return r3;
  if (u3 > (l3 ? 1 : 0)) {
    for (i3 = r3 - 1; i3 >= 0; i3--) if ((e3 = t3[i3]) && !(2 & e3.__u) && f4 == e3.key && o4 == e3.type) return i3;
    for (i3 = r3 + 1; i3 < t3.length; i3++) if ((e3 = t3[i3]) && !(2 & e3.__u) && f4 == e3.key && o4 == e3.type) return i3;
  }
  return -1;
}
function T(n2, t3, r3) {
  null == r3 && (r3 = ""), "-" == t3[0] ? n2.setProperty(t3, r3) : n2[t3] = r3;
}
function N(n2, t3, r3, u3, i3) {
  var f4, o4;
  if ("style" == t3) if ("string" == typeof r3) n2.style.cssText = r3;
  else {
    if ("string" == typeof u3 && (n2.style.cssText = u3 = ""), u3) for (t3 in u3) r3 && t3 in r3 || T(n2.style, t3);
    if (r3) for (t3 in r3) u3 && r3[t3] == u3[t3] || T(n2.style, t3, r3[t3]);
  }
  else if ("o" == t3[0] && "n" == t3[1]) "function" != typeof r3 && (r3 = null), "function" != typeof u3 && (u3 = null), (n2.__e || (n2.__e = {}))[t3] = r3, r3 && u3 || (o4 = a[t3] || (a[t3] = V(t3)), (n2.__a || (n2.__a = {}))[t3] = c, f4 = t3 != (t3 = t3.replace(l, "$1")), (t3 = t3.slice(2))[0] < "a" && (t3 = t3.toLowerCase()), r3 ? n2.addEventListener(t3, o4, f4) : n2.removeEventListener(t3, o4, f4));
  else {
    if ("http://www.w3.org/2000/svg" == i3) t3 = t3.replace(/xlink(H|:h)/, "h").replace(/sName$/, "s");
    else if ("width" != t3 && "height" != t3 && "href" != t3 && "list" != t3 && "form" != t3 && "tabIndex" != t3 && "download" != t3 && "rowSpan" != t3 && "colSpan" != t3 && "role" != t3 && "popover" != t3 && t3 in n2) try {
      return void (n2[t3] = null == r3 ? "" : r3);
    } catch (n3) {
    }
    if ("function" == typeof r3) return;
    null == r3 || false === r3 && "-" != t3[4] ? n2.removeAttribute(t3) : n2.setAttribute(t3, "popover" == t3 && 1 == r3 ? "" : r3);
  }
}
function V(t3) {
  return function(r3) {
    var u3 = this.__e;
    if (u3) {
      if (u3 = u3[t3], null == r3[e]) r3[e] = c++;
      else if (r3[e] < this.__a[t3]) return;
      return u3(n.event ? n.event(r3) : r3);
    }
  };
}
function z(t3, r3, u3, i3, f4, o4, e3, l3, c3, a4) {
  var s3, p3, v3, d3, k2, b, m3, M, C3, j2, L2, H2, q2, A3, O, P2, T3, N2, V2 = r3.type;
  if (r3.constructor !== h) return null;
  128 & u3.__u && (c3 = 32 & u3.__u, s3 = u3.__c.__z) && (r3.__u |= c3, p3 = o4 = [], 8 == s3.nodeType ? l3 = B(s3, o4) : o4.push(s3), l3 = o4[0] || l3), (s3 = n.__b) && s3(r3);
  n: if ("function" == typeof V2) {
    v3 = e3.length;
    try {
      if (M = r3.props, C3 = (s3 = V2.prototype) && s3.render, j2 = (s3 = V2.contextType) && i3[s3.__c], L2 = s3 ? j2 ? j2.props.value : s3.__ : i3, (d3 = u3.__c) ? (r3.__c = d3, 2 & d3.__g && (d3.__g |= 1)) : (C3 ? r3.__c = d3 = new V2(M, L2) : (r3.__c = d3 = new x(M, L2), d3.constructor = V2, d3.render = K), j2 && j2.sub(d3), d3.state || (d3.state = {}), d3.__n = i3, d3.__g |= 8, d3.__h = [], d3.__k = []), C3 && (d3.__s || (d3.__s = d3.state), V2.getDerivedStateFromProps && (d3.__s == d3.state && (d3.__s = _({}, d3.__s)), _(d3.__s, V2.getDerivedStateFromProps(M, d3.__s)))), k2 = d3.props, b = d3.state, d3.__v = r3, u3.__c) {
        if (M !== k2 && C3 && !V2.getDerivedStateFromProps && d3.componentWillReceiveProps && d3.componentWillReceiveProps(M, L2), r3.__v == u3.__v && !(8 & d3.__g) || !(4 & d3.__g) && d3.shouldComponentUpdate && false === d3.shouldComponentUpdate(M, d3.__s, L2)) {
          r3.__v != u3.__v && (d3.props = M, d3.state = d3.__s, d3.__g &= -9), r3.__e = u3.__e, r3.__k = u3.__k, r3.__k.some(function(n2) {
            n2 && (n2.__ = r3);
          }), y.push.apply(d3.__h, d3.__k), d3.__k = [], d3.__h.length && e3.push(d3), l3 = S(u3);
          break n;
        }
        d3.componentWillUpdate && d3.componentWillUpdate(M, d3.__s, L2), C3 && d3.componentDidUpdate && d3.__h.push(function() {
          d3.componentDidUpdate(k2, b, m3);
        });
      } else C3 && !V2.getDerivedStateFromProps && d3.componentWillMount && d3.componentWillMount(), C3 && d3.componentDidMount && d3.__h.push(d3.componentDidMount);
      d3.context = L2, d3.props = M, d3.__P = t3, d3.__g &= -5, H2 = n.__r, q2 = C3 ? 25 : 0;
      do {
        d3.__g &= -9, H2 && H2(r3), s3 = d3.render(d3.props, d3.state = d3.__s, d3.context);
      } while (8 & d3.__g && ++q2 < 25);
      C3 && (y.push.apply(d3.__h, d3.__k), d3.__k = []), d3.state = d3.__s, d3.getChildContext && (i3 = _({}, i3, d3.getChildContext())), C3 && u3.__c && d3.getSnapshotBeforeUpdate && (m3 = d3.getSnapshotBeforeUpdate(k2, b)), A3 = s3 && s3.type === $ && null == s3.key ? s3.props.children : s3, M.__P && (s3 = l3, f4 = (t3 = M.__P).namespaceURI, c3 = o4 = null, u3.props && u3.props.__P != t3 && (u3.__k.some(function(n2) {
        n2 && J(n2, n2);
      }), u3.__k = null), l3 = u3.__k ? S(u3, 0) : null), l3 = I(t3, w(A3) ? A3 : [A3], r3, u3, i3, f4, o4, e3, l3, c3, a4), M.__P && (r3.__e = null, l3 = s3), r3.__u &= -161, p3 && p3.some(g), d3.__h.length && e3.push(d3), 1 & d3.__g && (d3.__g &= -4);
    } catch (t4) {
      if (e3.length = v3, r3.__v = null, c3 || o4) if (t4 && t4.then) {
        if (r3.__u |= 128 | c3, o4) {
          for (~(T3 = o4.indexOf(l3 || void 0)) || (T3 = o4.length); (N2 = o4[T3 - 1]) && 8 == N2.nodeType; ) T3--;
          for (; T3 < o4.length; T3++) if (N2 = o4[T3]) if (o4[T3] = null, O) {
            if (N2 == P2) break;
          } else {
            if (8 != N2.nodeType) break;
            N2.data.startsWith("$s") && (P2 = B(O = N2));
          }
        }
        if (!O) {
          for (; l3 && 8 == l3.nodeType && l3.nextSibling; ) l3 = l3.nextSibling;
          O = l3;
        }
        (s3 = B(O = r3.__c.__z || (r3.__c.__z = O))) ? (r3.__e = O, l3 = s3) : r3.__e = l3, l3 = l3 && l3.nextSibling;
      } else o4 && o4.some(g);
      else r3.__e = u3.__e;
      r3.__k || (r3.__k = u3.__k || []), t4 && t4.then || D(r3), n.__e(t4, r3, u3);
    }
  } else l3 = r3.__e = F(u3.__e, r3, u3, i3, f4, o4, e3, c3, a4, t3);
  return (s3 = n.diffed) && s3(r3), l3;
}
function B(n2, t3) {
  if (n2 && 8 == n2.nodeType && n2.data.startsWith("$s")) for (var r3 = 1; n2 = n2.nextSibling; ) {
    if (8 == n2.nodeType) {
      if (n2.data.startsWith("$s")) r3++;
      else if (n2.data.startsWith("/$s") && !--r3) return n2;
    }
    t3 && t3.push(n2);
  }
}
function D(n2) {
  n2 && (n2.__c && (n2.__c.__g |= 4), n2.__k && n2.__k.some(D));
}
function E(t3, r3, u3) {
  for (var i3 = 0; i3 < u3.length; ) G(u3[i3++], u3[i3++], u3[i3++]);
  n.__c && n.__c(r3, t3), t3.some(function(r4) {
    try {
      t3 = r4.__h, r4.__h = [], t3.some(function(n2) {
        n2.call(r4);
      });
    } catch (t4) {
      n.__e(t4, r4.__v);
    }
  });
}
function F(t3, r3, u3, i3, f4, o4, e3, l3, c3, a4) {
  var s3, h3, y3, _3, k2, b, m3, M, $2 = u3.props || p, x2 = r3.props, C3 = r3.type;
  if ("svg" == C3 ? f4 = "http://www.w3.org/2000/svg" : "math" == C3 ? f4 = "http://www.w3.org/1998/Math/MathML" : f4 || (f4 = "http://www.w3.org/1999/xhtml"), o4) {
    for (s3 = 0; s3 < o4.length; s3++) if ((k2 = o4[s3]) && (C3 ? k2.localName == C3 : 3 == k2.nodeType)) {
      t3 = k2, o4[s3] = null;
      break;
    }
  }
  if (!t3) {
    if (M = a4.ownerDocument || document, !C3) return M.createTextNode(x2);
    t3 = M.createElementNS(f4, C3, x2.is ? x2 : a4), l3 && (n.__m && n.__m(r3, o4), l3 = false), o4 = null;
  }
  if (C3) {
    if (a4 = "template" == C3 && t3.content || t3, o4 = "textarea" == C3 && null != x2.defaultValue ? null : o4 && d.call(a4.childNodes), !l3 && o4) for ($2 = {}, s3 = 0; s3 < t3.attributes.length; s3++) $2[(k2 = t3.attributes[s3]).name] = k2.value;
    for (s3 in $2) k2 = $2[s3], "dangerouslySetInnerHTML" == s3 ? y3 = k2 : "children" == s3 || s3 in x2 || "value" == s3 && "defaultValue" in x2 || "checked" == s3 && "defaultChecked" in x2 || N(t3, s3, null, k2, f4);
    for (s3 in x2) k2 = x2[s3], "children" == s3 ? _3 = k2 : "dangerouslySetInnerHTML" == s3 ? h3 = k2 : "value" == s3 ? b = k2 : "checked" == s3 ? m3 = k2 : l3 && "function" != typeof k2 || $2[s3] === k2 || N(t3, s3, k2, $2[s3], f4);
    h3 ? (l3 || y3 && (h3.__html == y3.__html || h3.__html == t3.innerHTML) || (t3.innerHTML = h3.__html), r3.__k = []) : (y3 && (t3.textContent = ""), ("foreignObject" == C3 || "http://www.w3.org/1998/Math/MathML" == f4 && v.test(C3)) && (f4 = "http://www.w3.org/1999/xhtml"), I(a4, w(_3) ? _3 : [_3], r3, u3, i3, f4, o4, e3, o4 ? o4[0] : u3.__k && S(u3, 0), l3, c3), o4 && o4.some(g)), l3 && "textarea" != C3 || (s3 = "value", "progress" == C3 && null == b ? t3.removeAttribute(s3) : null == b || b === t3[s3] && ("progress" != C3 || b) || N(t3, s3, b, $2[s3], f4), s3 = "checked", null != m3 && m3 != t3[s3] && N(t3, s3, m3, $2[s3], f4));
  } else $2 === x2 || l3 && t3.data == x2 || (t3.data = x2);
  return t3;
}
function G(t3, r3, u3, i3) {
  try {
    "function" == typeof t3 ? r3 ? r3.__x = t3(r3) || 1 : i3 && (i3 = i3.__c || i3.__e) && (r3 = i3.__x) && (i3.__x = null, "function" == typeof r3 ? r3() : t3(null)) : t3.current = r3;
  } catch (t4) {
    n.__e(t4, u3);
  }
}
function J(t3, r3, u3) {
  var i3, f4, o4, e3;
  if (n.unmount && n.unmount(t3), !(i3 = t3.ref) || i3.current && i3.current != t3.__e || G(i3, null, r3, t3), i3 = t3.__c) {
    if (i3.componentWillUnmount) try {
      i3.componentWillUnmount();
    } catch (t4) {
      n.__e(t4, r3);
    }
    i3.__P = i3.__n = null;
  }
  if (i3 = t3.__k) for (e3 = 0; e3 < i3.length; e3++) i3[e3] && J(i3[e3], r3, "function" != typeof t3.type || u3 && !t3.props.__P);
  !u3 && (i3 = t3.__c) && (i3 = i3.__z) && (f4 = B(i3, o4 = [])) && (i3 == t3.__e && o4.some(g), g(f4), g(i3)), u3 || g(t3.__e), t3.__e = t3.__c = t3.__ = null;
}
function K(n2, t3, r3) {
  return this.constructor(n2, r3);
}
function Q(t3, r3) {
  var u3, i3, f4, o4;
  n.__ && n.__(t3, r3), 9 == r3.nodeType && (r3 = r3.documentElement), i3 = (u3 = t3 && 32 & t3.__u) ? null : r3.__k, r3.__k = m($, { children: [t3] }), f4 = [], o4 = [], z(r3, r3.__k, i3 || p, p, r3.namespaceURI, i3 ? null : r3.firstChild ? d.call(r3.childNodes) : null, f4, i3 ? i3.__e : r3.firstChild, u3, o4), E(f4, r3.__k, o4), r3.__k.props.children = null;
}
n = { __e: function(n2, t3, r3, u3) {
  for (var i3, o4, e3; t3 = t3.__; ) if ((i3 = t3.__c) && !(1 & i3.__g)) {
    i3.__g |= 4;
    try {
      if ((e3 = (o4 = i3.constructor) && o4.getDerivedStateFromError) && i3.setState(o4.getDerivedStateFromError(n2)), i3.componentDidCatch && (i3.componentDidCatch(n2, u3 || {}), e3 = 1), e3 && 8 & i3.__g) return void (i3.__g |= 2);
    } catch (t4) {
      n2 = t4;
    }
  }
  throw f = 0, n2;
} }, t = 0, r = function(n2) {
  return null != n2 && n2.constructor === h;
}, x.prototype.setState = function(n2, t3) {
  var r3 = this.__s;
  r3 && r3 != this.state || (r3 = this.__s = _({}, this.state)), "function" == typeof n2 && (n2 = n2(_({}, r3), this.props)), n2 && (_(r3, n2), this.__v && (t3 && this.__k.push(t3), L(this)));
}, x.prototype.forceUpdate = function(n2) {
  this.__v && (this.__g |= 4, n2 && this.__h.push(n2), L(this));
}, x.prototype.render = $, u = [], f = 0, o = function(n2, t3) {
  return n2.__v.__b - t3.__v.__b;
}, e = /* @__PURE__ */ Symbol(), l = /(PointerCapture)$|Capture$/i, c = 0, a = {}, s = 0;

// node_modules/preact/hooks/dist/hooks.mjs
var t2;
var r2;
var u2;
var i2;
var o2 = Object.is;
var f2 = 0;
var c2 = [];
var e2 = [];
var a2 = n;
var v2 = a2.__b;
var l2 = a2.__r;
var m2 = a2.diffed;
var h2 = a2.__c;
var s2 = a2.unmount;
var p2 = a2.__;
function y2(n2, t3) {
  a2.__h && a2.__h(r2, n2, f2 || t3), f2 = 0;
  var u3 = r2.__H || (r2.__H = { __: [], __h: [] });
  return n2 >= u3.__.length && u3.__.push({}), u3.__[n2];
}
function d2(n2) {
  return f2 = 1, _2(G2, n2);
}
function _2(n2, u3, i3) {
  var f4 = y2(t2++, 2);
  if (f4.t = n2, !f4.__c && (f4.__ = [i3 ? i3(u3) : G2(void 0, u3), function(n3) {
    var t3 = (f4.__N || f4.__)[0], r3 = f4.t(t3, n3);
    o2(t3, r3) || (f4.__N = [r3, f4.__[1]], f4.__c.setState({}));
  }], f4.__c = r2, !r2.__f)) {
    r2.__f = true;
    var c3 = r2.shouldComponentUpdate;
    r2.shouldComponentUpdate = function(n3, t3, r3) {
      var u4 = this.__H;
      if (!u4) return true;
      var i4 = false, f5 = this.props != n3;
      if (u4.__.some(function(n4) {
        n4.__N && (i4 = true, o2(n4.__[0], n4.__N[0]) || (f5 = true));
      }), c3) {
        var e3 = c3.call(this, n3, t3, r3);
        return i4 ? e3 || f5 : e3;
      }
      return !i4 || f5;
    };
  }
  return f4.__;
}
function A2(n2, u3) {
  var i3 = y2(t2++, 3);
  !a2.__s && E2(i3.__H, u3) && (i3.__P = true, i3.__ = n2, i3.u = u3, r2.__H.__h.push(i3));
}
function F2(n2, u3) {
  var i3 = y2(t2++, 4);
  !a2.__s && E2(i3.__H, u3) && (i3.__P = false, i3.__ = n2, i3.u = u3, r2.__h.push(i3));
}
function T2(n2) {
  return f2 = 5, w2(function() {
    return { current: n2 };
  }, []);
}
function w2(n2, r3) {
  var u3 = y2(t2++, 7);
  return E2(u3.__H, r3) && (u3.__ = n2(), u3.__H = r3), u3.__;
}
function g2() {
  var n2;
  do {
    for (; n2 = e2.shift(); ) try {
      C2(n2);
    } catch (t4) {
      a2.__e(t4, { __: (n2 = n2.__P) && n2.__v });
    }
    for (; n2 = c2.shift(); ) {
      var t3 = n2.__H;
      if (n2.__P && t3) try {
        t3.__h.some(C2), t3.__h.some(D2), t3.__h = [];
      } catch (r3) {
        t3.__h = [], a2.__e(r3, n2.__v);
      }
    }
  } while (e2.length);
}
a2.__b = function(n2) {
  r2 = null, v2 && v2(n2);
}, a2.__ = function(n2, t3) {
  n2 && t3.__k && t3.__k.__m && (n2.__m = t3.__k.__m), p2 && p2(n2, t3);
}, a2.__r = function(n2) {
  l2 && l2(n2), t2 = 0;
  var i3 = (r2 = n2.__c).__H;
  i3 && (u2 == r2 ? r2.__h = [] : (i3.__h.some(C2), i3.__h.some(D2), t2 = 0), i3.__h = [], i3.__.some(function(n3) {
    n3.__N && (n3.__ = n3.__N), n3.u = n3.__N = void 0;
  })), u2 = r2;
}, a2.diffed = function(n2) {
  m2 && m2(n2);
  var t3 = n2.__c;
  t3 && t3.__H && (t3.__H.__h.length && B2(c2.push(t3)), t3.__H.__.some(function(n3) {
    n3.u && (n3.__H = n3.u);
  })), u2 = r2 = null;
}, a2.__c = function(n2, t3) {
  t3.some(function(n3) {
    try {
      n3.__h.some(C2), n3.__h = n3.__h.filter(function(n4) {
        return !n4.__ || D2(n4);
      });
    } catch (t4) {
      n3.__h = [function() {
        throw t4;
      }];
    }
  }), h2 && h2(n2, t3);
}, a2.unmount = function(n2) {
  s2 && s2(n2);
  var t3, r3, u3 = n2.__c;
  u3 && u3.__H && (u3.__H.__.some(function(u4) {
    try {
      if (u4.__P && u4.__c) {
        if (void 0 === r3) {
          for (r3 = n2.__; r3 && (!r3.__c || !r3.__c.__P); ) r3 = r3.__;
          r3 = r3 && r3.__c;
        }
        u4.__P = r3, B2(e2.push(u4));
      } else C2(u4);
    } catch (n3) {
      t3 = n3;
    }
  }), u3.__H = void 0, t3 && a2.__e(t3, u3.__v));
};
var k = "function" == typeof requestAnimationFrame;
function z2(n2) {
  var t3, r3 = function() {
    clearTimeout(u3), k && cancelAnimationFrame(t3), setTimeout(n2);
  }, u3 = setTimeout(r3, 35);
  k && (t3 = requestAnimationFrame(r3));
}
function B2(n2) {
  1 != n2 && i2 == a2.requestAnimationFrame || ((i2 = a2.requestAnimationFrame) || z2)(g2);
}
function C2(n2) {
  var t3 = r2, u3 = n2.__c;
  "function" == typeof u3 && (n2.__c = void 0, u3()), r2 = t3;
}
function D2(n2) {
  var t3 = r2;
  n2.__c = n2.__(), r2 = t3;
}
function E2(n2, t3) {
  return !n2 || n2.length != t3.length || t3.some(function(t4, r3) {
    return !o2(t4, n2[r3]);
  });
}
function G2(n2, t3) {
  return "function" == typeof t3 ? t3(n2) : t3;
}

// extension/src/parts/theme.ts
function hostTheme(body = document.body) {
  const jupyter = body.dataset.jpThemeLight;
  if (jupyter !== void 0) return jupyter === "false" ? "dark" : "light";
  const classes = body.classList;
  if (classes.contains("vscode-dark")) return "dark";
  if (classes.contains("vscode-light")) return "light";
  if (classes.contains("vscode-high-contrast")) {
    return classes.contains("vscode-high-contrast-light") ? "light" : "dark";
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
function useTheme() {
  const [theme, setTheme] = d2(hostTheme);
  A2(() => {
    const follow = () => setTheme(hostTheme());
    const observer = new MutationObserver(follow);
    observer.observe(document.body, {
      attributes: true,
      attributeFilter: ["class", "data-jp-theme-light", "data-vscode-theme-kind"]
    });
    const query2 = matchMedia("(prefers-color-scheme: dark)");
    query2.addEventListener("change", follow);
    return () => {
      observer.disconnect();
      query2.removeEventListener("change", follow);
    };
  }, []);
  return theme;
}

// extension/src/store/state.ts
var INITIAL = {
  connected: true,
  lostAt: null,
  setup: null,
  snapshot: null,
  maps: {},
  scales: {},
  clicks: [],
  views: [],
  inFlight: [],
  verifying: false,
  busy: null,
  trouble: null,
  verified: null
};
function shownView(state2) {
  if (state2.snapshot === null) return null;
  return Object.assign({}, state2.snapshot.view, ...state2.views.map(({ patch }) => patch));
}
function phase(state2) {
  if (!state2.connected) return "disconnected";
  if (state2.trouble !== null) return "error";
  const map = currentMap(state2);
  const running = state2.setup === null || state2.inFlight.length > 0 || state2.clicks.length > 0 || state2.busy !== null || map?.status === "computing";
  return running ? "running" : "idle";
}
function currentMap(state2) {
  const view = shownView(state2);
  return view === null ? null : state2.maps[view.map] ?? null;
}
function samePositions(a4, b) {
  if (a4 === null || b === null) return a4 === b;
  return a4.length === b.length && a4.every((p3, i3) => p3 === b[i3]);
}
function isStale(map, snapshot, view) {
  return map.revision !== snapshot.revision || map.base !== snapshot.base || map.how !== view.mode || map.over === "head" && !samePositions(map.positions, view.positions);
}

// extension/src/panels/actions.ts
function actionsOf(store) {
  const revision = () => store.state().snapshot?.revision ?? -1;
  const send = (body) => {
    if (store.state().connected) void store.request(body);
  };
  return {
    click: (site, positions) => send({ kind: "click", site, positions }),
    remove: (index) => send({ kind: "remove", index, revision: revision() }),
    toggle: (index) => send({ kind: "toggle", index, revision: revision() }),
    undo: () => {
      if (store.state().snapshot?.can_undo === true) send({ kind: "undo" });
    },
    redo: () => {
      if (store.state().snapshot?.can_redo === true) send({ kind: "redo" });
    },
    clear: () => send({ kind: "clear" }),
    setBase: (base) => {
      if (store.state().snapshot?.base !== base) send({ kind: "set_base", base });
    },
    setView: (patch) => {
      if (shownView(store.state()) !== null) send({ kind: "set_view", ...patch });
    },
    cancelMap: () => send({ kind: "cancel_map" }),
    resumeMap: () => send({ kind: "resume_map" }),
    verify: () => send({ kind: "verify" }),
    code: () => store.request({ kind: "copy_code" }),
    dismiss: () => store.dismiss()
  };
}

// node_modules/preact/jsx-runtime/dist/jsxRuntime.mjs
var f3 = /* @__PURE__ */ Symbol.for("pv");
var o3 = 0;
function a3(t3, e3, n2, u3, a4, i3) {
  e3 || (e3 = {});
  var c3, l3, p3 = e3;
  if ("ref" in p3 && "function" != typeof t3) for (l3 in p3 = {}, e3) "ref" == l3 ? c3 = e3[l3] : p3[l3] = e3[l3];
  var s3 = { type: t3, props: p3, key: n2, ref: c3, __k: null, __: null, __b: 0, __e: null, __c: null, constructor: f3, __v: --o3, __i: -1, __u: 0 };
  return (a4 || i3) && (s3.__source = a4, s3.__self = i3), n.vnode && n.vnode(s3), s3;
}

// extension/src/parts/icon.tsx
var PATHS = {
  undo: "M5.5 3.5 2.5 6.5l3 3M2.5 6.5h7a3.5 3.5 0 0 1 0 7H7",
  redo: "M10.5 3.5l3 3-3 3M13.5 6.5h-7a3.5 3.5 0 0 0 0 7H9",
  x: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  check: "M3 8.5l3.2 3.2L13 4.8",
  left: "M9.5 4.5 6 8l3.5 3.5",
  right: "M6.5 4.5 10 8l-3.5 3.5",
  warn: "M8 2.5 14.2 13.2H1.8zM8 6.8v3M8 11.4v.1"
};
function Icon({
  name,
  size = 16
}) {
  return /* @__PURE__ */ a3("svg", { class: "cb-icon", width: size, height: size, viewBox: "0 0 16 16", "aria-hidden": "true", children: /* @__PURE__ */ a3("path", { d: PATHS[name] }) });
}

// extension/src/parts/controls.tsx
function Button(props) {
  return /* @__PURE__ */ a3(
    "button",
    {
      type: "button",
      class: `cb-btn cb-btn-${props.look ?? "quiet"}`,
      "data-cb": props.cb,
      "aria-label": props.label,
      title: props.title,
      disabled: props.disabled ?? false,
      onClick: props.onClick,
      children: props.children
    }
  );
}
function IconButton({ cb, icon, label, disabled, onClick }) {
  return /* @__PURE__ */ a3(
    "button",
    {
      type: "button",
      class: "cb-btn cb-btn-icon",
      "data-cb": cb,
      "aria-label": label,
      title: label,
      disabled: disabled ?? false,
      onClick,
      children: /* @__PURE__ */ a3(Icon, { name: icon })
    }
  );
}
function Switch({ cb, label, on, disabled, onClick }) {
  return /* @__PURE__ */ a3(
    "button",
    {
      type: "button",
      role: "switch",
      class: "cb-switch",
      "data-cb": cb,
      "aria-checked": on,
      "aria-label": label,
      disabled: disabled ?? false,
      onClick,
      children: /* @__PURE__ */ a3("span", { class: "cb-knob" })
    }
  );
}
function Segmented(props) {
  const { choices, value, onChoose } = props;
  const disabled = props.disabled ?? false;
  const open = choices.filter((choice) => choice.refused === null);
  const stop = open.some((choice) => choice.value === value) ? value : open[0]?.value ?? null;
  const onKeyDown = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step === void 0 || open.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const at2 = open.findIndex((choice) => choice.value === value);
    const next = open[(at2 + step + open.length) % open.length];
    if (next === void 0) return;
    onChoose(next.value);
    event.currentTarget.querySelector(`[data-value="${next.value}"]`)?.focus();
  };
  return /* @__PURE__ */ a3(
    "span",
    {
      class: "cb-seg",
      role: "radiogroup",
      "aria-label": props.label,
      "data-cb": props.cb,
      "data-value": value ?? "",
      onKeyDown,
      children: choices.map((choice) => (
        // biome-ignore lint/a11y/useSemanticElements: a segmented button is drawn as one, which an input cannot be.
        /* @__PURE__ */ a3(
          "button",
          {
            type: "button",
            role: "radio",
            "data-value": choice.value,
            "aria-checked": choice.value === value,
            tabIndex: choice.value === stop ? 0 : -1,
            disabled: disabled || choice.refused !== null,
            title: choice.refused ?? choice.title,
            onClick: () => onChoose(choice.value),
            children: choice.text
          },
          choice.value
        )
      ))
    }
  );
}

// extension/src/panels/banner/Banner.tsx
function Banner({ state: state2, act }) {
  if (!state2.connected) {
    return /* @__PURE__ */ a3("div", { class: "cb-banner", role: "alert", "data-cb": "banner", children: [
      /* @__PURE__ */ a3(Icon, { name: "warn" }),
      /* @__PURE__ */ a3("span", { class: "cb-grow", children: [
        /* @__PURE__ */ a3("b", { children: "No answer from the kernel." }),
        " If a cell is running, the panel goes on when it ends. If the kernel was restarted, run this cell again."
      ] })
    ] });
  }
  if (state2.trouble === null) return null;
  const { title, error } = state2.trouble;
  return /* @__PURE__ */ a3("div", { class: "cb-banner", role: "alert", "data-cb": "banner", "data-code": error.code, children: [
    /* @__PURE__ */ a3(Icon, { name: "warn" }),
    /* @__PURE__ */ a3("span", { class: "cb-grow", children: [
      /* @__PURE__ */ a3("b", { children: title }),
      " ",
      error.message.slice(0, 600),
      " ",
      /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: [
        "(",
        error.code,
        ")"
      ] })
    ] }),
    /* @__PURE__ */ a3(Button, { cb: "dismiss", onClick: act.dismiss, children: "Dismiss" })
  ] });
}

// extension/src/panels/code/CodeDialog.tsx
function CodeDialog({ text, onClose }) {
  const area = T2(null);
  A2(() => {
    area.current?.focus();
    area.current?.select();
    if (area.current !== null) area.current.scrollTop = 0;
  }, []);
  return /* @__PURE__ */ a3(
    "div",
    {
      class: "cb-dialog",
      role: "dialog",
      "aria-label": "Python code of this state",
      "data-cb": "code",
      onKeyDown: (event) => {
        if (event.key === "Escape") onClose();
        event.stopPropagation();
      },
      children: [
        /* @__PURE__ */ a3("p", { class: "cb-hint", children: "The browser does not let the panel copy. The code is selected: copy it with Ctrl-C." }),
        /* @__PURE__ */ a3(
          "textarea",
          {
            ref: area,
            class: "cb-code",
            readOnly: true,
            rows: Math.max(4, Math.min(16, text.split("\n").length)),
            spellcheck: false,
            value: text,
            "aria-label": "Python code"
          }
        ),
        /* @__PURE__ */ a3("div", { class: "cb-row", children: [
          /* @__PURE__ */ a3("span", { class: "cb-grow" }),
          /* @__PURE__ */ a3(Button, { onClick: onClose, children: "Close" })
        ] })
      ]
    }
  );
}

// extension/src/panels/code/copy.ts
async function copyLater(text) {
  const { clipboard } = navigator;
  if (clipboard !== void 0 && typeof ClipboardItem !== "undefined") {
    const blob = text.then((value2) => new Blob([value2 ?? ""], { type: "text/plain" }));
    try {
      await clipboard.write([new ClipboardItem({ "text/plain": blob })]);
      return null;
    } catch {
    }
  }
  const value = await text;
  if (value === null) return null;
  try {
    await clipboard.writeText(value);
    return null;
  } catch {
    return value;
  }
}

// extension/src/parts/number.ts
var MINUS = "\u2212";
function special(x2) {
  if (Number.isNaN(x2)) return "nan";
  if (x2 === Number.POSITIVE_INFINITY) return "+\u221E";
  return x2 === Number.NEGATIVE_INFINITY ? `${MINUS}\u221E` : null;
}
function signed(x2, digits = 2) {
  const name = special(x2);
  if (name !== null) return name;
  const size = Math.abs(x2);
  const text = size > 0 && size < 0.5 * 10 ** -digits ? size.toExponential(0).replace("-", MINUS) : size.toFixed(digits);
  if (size === 0) return text;
  return (x2 < 0 ? MINUS : "+") + text;
}
function plain(x2, digits = 2) {
  return signed(x2, digits).replace(/^\+/, "");
}
function decimals(clip) {
  if (!(clip > 0)) return 2;
  return Math.max(1, Math.min(6, 1 - Math.floor(Math.log10(clip * 1.05))));
}
function inCell(x2, clip) {
  return signed(x2, decimals(clip));
}
function attribute(x2) {
  if (Number.isNaN(x2)) return "nan";
  if (!Number.isFinite(x2)) return x2 > 0 ? "inf" : "-inf";
  return String(x2);
}
function percent(p3) {
  if (!Number.isFinite(p3)) return "nan";
  return p3 > 0 && p3 < 5e-4 ? "<0.1%" : `${(100 * p3).toFixed(1)}%`;
}
function duration(ms) {
  if (!Number.isFinite(ms)) return "";
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  return ms < 59950 ? `${(ms / 1e3).toFixed(1)} s` : `${Math.round(ms / 6e4)} min`;
}
function direction(x2) {
  if (Number.isNaN(x2) || x2 === 0) return "";
  return x2 < 0 ? "cb-neg" : "cb-pos";
}

// extension/src/protocol/decode.ts
var ANSWERS = /* @__PURE__ */ new Set(["done", "superseded", "failed", "welcome", "verified", "code"]);
function real(x2) {
  switch (x2.special) {
    case "nan":
      return Number.NaN;
    case "inf":
      return Number.POSITIVE_INFINITY;
    case "-inf":
      return Number.NEGATIVE_INFINITY;
    default:
      return x2.value ?? Number.NaN;
  }
}
function realOrNull(x2) {
  return x2 === null ? null : real(x2);
}
function isRecord(x2) {
  return typeof x2 === "object" && x2 !== null && !Array.isArray(x2);
}
function bytes(view) {
  if (view instanceof ArrayBuffer) return view;
  const copy = new Uint8Array(view.byteLength);
  copy.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  return copy.buffer;
}
function decodeMap(content2, buffers) {
  const { shape } = content2;
  const [first, second] = buffers;
  if (!Array.isArray(shape) || shape.length !== 2 || first === void 0 || second === void 0) {
    return null;
  }
  const n2 = Number(shape[0]) * Number(shape[1]);
  const effect = bytes(first);
  const known = bytes(second);
  if (effect.byteLength !== 4 * n2 || known.byteLength !== n2) return null;
  return {
    ...content2,
    effect: new Float32Array(effect),
    known: new Uint8Array(known),
    before: null
  };
}
function decode(content2, buffers = []) {
  if (!isRecord(content2)) return null;
  const { kind } = content2;
  if (typeof kind === "string" && ANSWERS.has(kind)) {
    return typeof content2.id === "string" ? content2 : null;
  }
  if (!Number.isInteger(content2.seq)) return null;
  if (kind === "snapshot")
    return isRecord(content2.snapshot) ? content2 : null;
  if (kind === "busy")
    return typeof content2.what === "string" ? content2 : null;
  return kind === "map" ? decodeMap(content2, buffers) : null;
}

// extension/src/panels/edits/Edits.tsx
function receiptWords(edit, unit) {
  const before = realOrNull(edit.norm_before);
  const change = realOrNull(edit.norm_change);
  const effect = realOrNull(edit.effect);
  const lines = [
    change === null ? "Switched off: changes nothing now." : change === 0 ? "Changes nothing: the activation is what it was." : `Activation norm ${before === null ? "?" : plain(before)}, norm of the change ${plain(change)}.`,
    effect === null ? "" : `Effect with the other edits in force: ${signed(effect, 4)} ${unit}.`
  ];
  return lines.filter((line) => line !== "").join(" ");
}
function Row({
  edit,
  index,
  off,
  unit,
  act
}) {
  const effect = realOrNull(edit.effect);
  const change = realOrNull(edit.norm_change);
  const strength = realOrNull(edit.strength);
  const nothing = edit.enabled && change === 0;
  return /* @__PURE__ */ a3(
    "li",
    {
      class: `cb-edit${edit.enabled ? "" : " cb-edit-off"}`,
      "data-cb": "edit",
      "data-site": edit.site,
      title: receiptWords(edit, unit),
      children: [
        /* @__PURE__ */ a3(
          Switch,
          {
            cb: "edit-toggle",
            label: `Use edit ${edit.site}`,
            on: edit.enabled,
            disabled: off,
            onClick: () => act.toggle(index)
          }
        ),
        /* @__PURE__ */ a3("span", { class: "cb-edit-what", children: [
          /* @__PURE__ */ a3("b", { children: edit.site }),
          " ",
          edit.how,
          strength === null ? null : ` \xD7${plain(strength)}`,
          /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: [
            " @ ",
            edit.at
          ] })
        ] }),
        nothing ? /* @__PURE__ */ a3("span", { class: "cb-warn", children: "no change" }) : /* @__PURE__ */ a3("span", { class: effect === null ? "cb-quiet-text" : direction(effect), children: effect === null ? edit.enabled ? "\u2026" : "off" : signed(effect) }),
        /* @__PURE__ */ a3(
          IconButton,
          {
            cb: "edit-remove",
            icon: "x",
            label: `Remove edit ${edit.site}`,
            disabled: off,
            onClick: () => act.remove(index)
          }
        )
      ]
    }
  );
}
function Edits({ state: state2, act, copied, onCopy }) {
  const { snapshot } = state2;
  const off = !state2.connected || snapshot === null;
  const edits = snapshot?.edits ?? [];
  const unit = snapshot?.metric.unit ?? "";
  return /* @__PURE__ */ a3("section", { class: "cb-sec", "aria-label": "Edits", children: [
    /* @__PURE__ */ a3("div", { class: "cb-sechead", children: [
      /* @__PURE__ */ a3("h3", { class: "cb-h", children: [
        "Edits",
        edits.length > 0 ? /* @__PURE__ */ a3("span", { class: "cb-quiet-text cb-plain", children: [
          " effect in ",
          unit
        ] }) : null
      ] }),
      /* @__PURE__ */ a3("span", { class: "cb-grow" }),
      /* @__PURE__ */ a3(
        IconButton,
        {
          cb: "undo",
          icon: "undo",
          label: "Undo (Ctrl-Z)",
          disabled: off || !snapshot.can_undo,
          onClick: act.undo
        }
      ),
      /* @__PURE__ */ a3(
        IconButton,
        {
          cb: "redo",
          icon: "redo",
          label: "Redo (Ctrl-Shift-Z)",
          disabled: off || !snapshot.can_redo,
          onClick: act.redo
        }
      )
    ] }),
    edits.length === 0 ? /* @__PURE__ */ a3("p", { class: "cb-hint", children: "None yet. What you click is listed here, with a switch, its effect and a way back." }) : /* @__PURE__ */ a3("ol", { class: "cb-edits", children: edits.map((edit, index) => /* @__PURE__ */ a3(Row, { edit, index, off, unit, act }, index)) }),
    /* @__PURE__ */ a3("div", { class: "cb-row cb-edit-actions", children: [
      /* @__PURE__ */ a3(
        Button,
        {
          cb: "copy-code",
          title: "Copy Python that rebuilds this state",
          disabled: off,
          onClick: onCopy,
          children: copied ? "Copied" : "Copy Python"
        }
      ),
      /* @__PURE__ */ a3(
        Button,
        {
          cb: "clear",
          title: "Take every edit back (one step of undo)",
          disabled: off || edits.length === 0,
          onClick: act.clear,
          children: "Clear"
        }
      )
    ] })
  ] });
}

// extension/src/panels/footer/Footer.tsx
var CELLS = { head: "heads", resid_pre: "cells" };
function progressWords(map, state2) {
  const { done, total } = map;
  if (!state2.connected && map.status === "computing")
    return `Stopped at ${done} of ${total} when the kernel went`;
  switch (map.status) {
    case "computing":
      if (done === 0)
        return state2.busy === null ? `Map: 0 of ${total} exact` : "The map waits for the step";
      return `${done} of ${total} exact, about ${duration(map.elapsed_ms / done * (total - done))} left`;
    case "done":
      return `All ${total} ${CELLS[map.over]} exact, ${duration(map.elapsed_ms)}`;
    case "cancelled":
      return `Stopped at ${done} of ${total}; ${total - done} not computed`;
    case "failed":
      return `The map failed at ${done} of ${total}`;
  }
}
function Progress({ state: state2, act }) {
  const map = currentMap(state2);
  if (map === null) {
    return /* @__PURE__ */ a3("span", { "data-cb": "progress", children: state2.connected ? "Waiting for the kernel" : "" });
  }
  const share = map.total > 0 ? 100 * map.done / map.total : 100;
  const words = progressWords(map, state2);
  return /* @__PURE__ */ a3($, { children: [
    /* @__PURE__ */ a3(
      "span",
      {
        class: "cb-progress",
        role: "progressbar",
        "data-cb": "progress",
        "data-status": map.status,
        "aria-valuemin": 0,
        "aria-valuemax": map.total,
        "aria-valuenow": map.done,
        "aria-label": "Exact cells of the map",
        children: /* @__PURE__ */ a3("span", { style: { width: `${share.toFixed(1)}%` } })
      }
    ),
    /* @__PURE__ */ a3("span", { class: "cb-progress-words", title: map.error?.message, children: [
      words,
      map.status === "failed" && map.error !== null ? `: ${map.error.message}` : ""
    ] }),
    map.status === "computing" && state2.connected ? /* @__PURE__ */ a3(Button, { cb: "cancel", title: "Leave the map where it is", onClick: act.cancelMap, children: "Cancel" }) : null,
    (map.status === "cancelled" || map.status === "failed") && state2.connected ? /* @__PURE__ */ a3(Button, { cb: "resume", title: "Compute what is missing", onClick: act.resumeMap, children: "Resume" }) : null
  ] });
}
function Receipts({ state: state2 }) {
  const { snapshot } = state2;
  const edits = snapshot?.edits.filter((edit) => edit.enabled) ?? [];
  if (snapshot === null || edits.length === 0) return null;
  const changes = edits.map((edit) => realOrNull(edit.norm_change));
  const known = changes.filter((change) => change !== null);
  const idle = known.filter((change) => change === 0).length;
  const norm = Math.sqrt(known.reduce((sum, change) => sum + change * change, 0));
  const n2 = known.length - idle;
  const title = edits.map((edit) => `${edit.site}: ${receiptWords(edit, snapshot.metric.unit)}`).join("\n");
  return /* @__PURE__ */ a3("span", { class: "cb-receipts", "data-cb": "receipts", title, children: [
    n2,
    " ",
    n2 === 1 ? "site" : "sites",
    " changed",
    /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: [
      " ",
      "\u2016\u0394\u2016",
      " ",
      plain(norm),
      " (activation norm)"
    ] }),
    idle > 0 ? /* @__PURE__ */ a3("span", { class: "cb-warn", children: [
      " ",
      "\xB7",
      " ",
      idle,
      " ",
      idle === 1 ? "edit changes" : "edits change",
      " nothing"
    ] }) : null
  ] });
}
function Proof({ state: state2 }) {
  if (state2.verifying) return /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: [
    "running plain hooks",
    "\u2026"
  ] });
  if (state2.verified === null) return null;
  const { ok, max_abs_error, tolerance } = state2.verified.result;
  const error = real(max_abs_error);
  const size = error === 0 ? "0" : Number.isFinite(error) ? error.toExponential(1).replace("-", "\u2212") : "nan";
  return /* @__PURE__ */ a3("span", { class: ok ? "" : "cb-warn", "data-cb": "verified", "data-ok": ok, children: ok ? `Equal to plain hooks, off by ${size} at most` : `Not equal to plain hooks: off by ${size}, tolerance ${tolerance}` });
}
function Footer({ state: state2, act }) {
  const off = !state2.connected || state2.snapshot === null;
  return /* @__PURE__ */ a3("footer", { class: "cb-foot", children: [
    /* @__PURE__ */ a3("div", { class: "cb-row cb-foot-left", children: /* @__PURE__ */ a3(Progress, { state: state2, act }) }),
    /* @__PURE__ */ a3("span", { class: "cb-grow" }),
    /* @__PURE__ */ a3("div", { class: "cb-row cb-foot-right", children: [
      /* @__PURE__ */ a3("span", { role: "status", class: "cb-row", children: /* @__PURE__ */ a3(Proof, { state: state2 }) }),
      /* @__PURE__ */ a3(Receipts, { state: state2 }),
      /* @__PURE__ */ a3(
        Button,
        {
          cb: "verify",
          look: "line",
          title: "Run the same edits with plain TransformerLens hooks and compare",
          disabled: off || state2.verifying,
          onClick: act.verify,
          children: "Verify"
        }
      )
    ] })
  ] });
}

// extension/src/parts/token.tsx
var LONGEST = 32;
var NAMES = { "\n": "\u23CE", "	": "\u21E5", "\r": "\u240D" };
var INVISIBLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;
function visible(character) {
  const code = character.codePointAt(0) ?? 0;
  if (NAMES[character] !== void 0) return NAMES[character];
  if (code < 32) return String.fromCodePoint(9216 + code);
  return `\u2039${code.toString(16)}\u203A`;
}
function tokenText(token, longest = LONGEST) {
  const head = token.length > longest ? `${[...token.slice(0, longest)].slice(0, longest - 1).join("")}\u2026` : token;
  return head.replace(INVISIBLE, visible);
}
function tokenWords(token, longest = LONGEST) {
  return token.startsWith(" ") && token.length > 1 ? `\xB7${tokenText(token.slice(1), longest)}` : tokenText(token, longest);
}
function Token({
  text,
  longest = LONGEST
}) {
  const spaced = text.startsWith(" ") && text.length > 1;
  return /* @__PURE__ */ a3("bdi", { class: "cb-token", children: [
    spaced ? /* @__PURE__ */ a3("span", { class: "cb-space", children: "\xB7" }) : null,
    tokenText(spaced ? text.slice(1) : text, longest)
  ] });
}

// extension/src/parts/width.ts
function useWidth(before) {
  const ref = T2(null);
  const [width, setWidth] = d2(before);
  F2(() => {
    const element = ref.current;
    if (element === null) return void 0;
    const measure = () => {
      if (element.clientWidth > 0) setWidth(element.clientWidth);
    };
    measure();
    if (typeof ResizeObserver === "undefined") return void 0;
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}

// extension/src/panels/header/scale.ts
var MARGIN = 0.12;
function domainOf(clean, corrupted) {
  const other = corrupted ?? 0;
  if (!Number.isFinite(clean) || !Number.isFinite(other)) return null;
  const low = Math.min(clean, other);
  const high = Math.max(clean, other);
  const room = high > low ? (high - low) * MARGIN : Math.max(1, Math.abs(high)) * 0.5;
  return { low: low - room, high: high + room };
}
function place(x2, { low, high }) {
  const at2 = (x2 - low) / (high - low);
  if (at2 < 0) return { at: 0, beyond: "below" };
  return at2 > 1 ? { at: 1, beyond: "above" } : { at: at2, beyond: null };
}

// extension/src/panels/header/ScaleBar.tsx
var CHARACTER = 6.6;
var GAP = 10;
var at = (share) => ({ left: `${(100 * share).toFixed(2)}%` });
function Baseline(props) {
  const { name, value, right } = props;
  const style = right ? { right: `${(100 * (1 - props.at)).toFixed(2)}%` } : at(props.at);
  return /* @__PURE__ */ a3(
    "span",
    {
      class: `cb-scale-end ${name === "clean" ? "cb-pos" : "cb-neg"}`,
      style,
      "data-cb": `baseline-${name}`,
      "data-value": attribute(value),
      children: [
        name,
        " ",
        signed(value)
      ]
    }
  );
}
function Spread({ metric }) {
  const n2 = metric.values.length;
  const stderr = realOrNull(metric.stderr);
  return /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: [
    "n=",
    n2,
    n2 > 1 && stderr !== null ? `, \xB1 ${signed(stderr).replace("+", "")} s.e.` : null
  ] });
}
function ScaleBar({ metric, prompt, edited }) {
  const [ref, width] = useWidth(300);
  const value = real(metric.value);
  const clean = real(metric.baselines.clean);
  const corrupted = realOrNull(metric.baselines.corrupted);
  const change = realOrNull(metric.change);
  const domain = domainOf(clean, corrupted);
  const what = prompt === void 0 || prompt.wrong === null ? prompt === void 0 ? null : /* @__PURE__ */ a3(Token, { text: prompt.answer, longest: 14 }) : /* @__PURE__ */ a3($, { children: [
    /* @__PURE__ */ a3(Token, { text: prompt.answer, longest: 14 }),
    " \u2212 ",
    /* @__PURE__ */ a3(Token, { text: prompt.wrong, longest: 14 })
  ] });
  const caption = /* @__PURE__ */ a3("div", { class: "cb-scale-top", children: [
    /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: what }),
    /* @__PURE__ */ a3(Spread, { metric })
  ] });
  if (domain === null) {
    return /* @__PURE__ */ a3("div", { class: "cb-scale", ref, children: [
      caption,
      /* @__PURE__ */ a3("div", { class: "cb-scale-bar", children: /* @__PURE__ */ a3("span", { class: "cb-scale-track" }) }),
      /* @__PURE__ */ a3("div", { class: "cb-scale-bottom", children: [
        /* @__PURE__ */ a3(Baseline, { name: "clean", value: clean, at: 1, right: true }),
        corrupted === null ? null : /* @__PURE__ */ a3(Baseline, { name: "corrupted", value: corrupted, at: 0, right: false })
      ] })
    ] });
  }
  const cleanAt = place(clean, domain).at;
  const corruptedAt = corrupted === null ? null : place(corrupted, domain).at;
  const zero = place(0, domain);
  const free = (name, x2, tick) => tick === null || Math.abs(tick - zero.at) * width > (`${name} ${signed(x2)}`.length + 1) * CHARACTER + GAP;
  const zeroFree = free("clean", clean, cleanAt) && free("corrupted", corrupted ?? 0, corruptedAt);
  const now = Number.isFinite(value) ? place(value, domain) : null;
  const earlier = edited && now !== null && change !== null && Number.isFinite(change) && change !== 0 ? place(value - change, domain) : null;
  const before = earlier?.beyond === null || now?.beyond === null ? earlier : null;
  const words = `${metric.name} ${signed(value)} ${metric.unit}; clean ${signed(clean)}${corrupted === null ? "" : `, corrupted ${signed(corrupted)}`}`;
  return /* @__PURE__ */ a3("div", { class: "cb-scale", ref, children: [
    caption,
    /* @__PURE__ */ a3("div", { class: "cb-scale-bar", role: "img", "aria-label": words, children: [
      /* @__PURE__ */ a3("span", { class: "cb-scale-track" }),
      zero.beyond === null ? /* @__PURE__ */ a3("span", { class: "cb-scale-zero", style: at(zero.at) }) : null,
      corruptedAt === null ? null : /* @__PURE__ */ a3("span", { class: "cb-scale-tick cb-neg-fill", style: at(corruptedAt) }),
      /* @__PURE__ */ a3("span", { class: "cb-scale-tick cb-pos-fill", style: at(cleanAt) }),
      before === null || now === null ? null : /* @__PURE__ */ a3($, { children: [
        /* @__PURE__ */ a3(
          "span",
          {
            class: `cb-scale-change ${direction(change ?? 0)}-fill`,
            style: {
              left: `${(100 * Math.min(before.at, now.at)).toFixed(2)}%`,
              width: `${(100 * Math.abs(before.at - now.at)).toFixed(2)}%`
            }
          }
        ),
        before.beyond === null ? /* @__PURE__ */ a3("span", { class: "cb-scale-before", style: at(before.at) }) : null
      ] }),
      now === null ? null : /* @__PURE__ */ a3(
        "span",
        {
          class: `cb-scale-now${now.beyond === null ? "" : ` cb-scale-${now.beyond}`}`,
          style: at(now.at)
        }
      ),
      metric.values.length > 1 ? metric.values.map((x2, i3) => {
        const spot = place(real(x2), domain);
        return Number.isFinite(real(x2)) && spot.beyond === null ? /* @__PURE__ */ a3(
          "span",
          {
            class: "cb-scale-rug",
            style: at(spot.at),
            title: `prompt ${i3 + 1}: ${signed(real(x2))}`
          },
          i3
        ) : null;
      }) : null
    ] }),
    /* @__PURE__ */ a3("div", { class: "cb-scale-bottom", children: [
      corrupted === null || corruptedAt === null ? null : /* @__PURE__ */ a3(
        Baseline,
        {
          name: "corrupted",
          value: corrupted,
          at: corruptedAt,
          right: corruptedAt > cleanAt
        }
      ),
      zero.beyond === null && zeroFree ? /* @__PURE__ */ a3("span", { class: "cb-scale-zero-label cb-quiet-text", style: at(zero.at), children: "0" }) : null,
      /* @__PURE__ */ a3(
        Baseline,
        {
          name: "clean",
          value: clean,
          at: cleanAt,
          right: cleanAt > (corruptedAt ?? zero.at)
        }
      )
    ] })
  ] });
}

// extension/src/panels/header/Header.tsx
var METRIC_NAMES = {
  logit_diff: "logit difference",
  log_prob: "log probability",
  prob: "probability",
  kl: "KL divergence"
};
function metricName(name) {
  return METRIC_NAMES[name] ?? name.replaceAll("_", " ");
}
var MODE_TITLES = {
  zero: "A click sets the activation to zero (key 1)",
  patch: "A click takes the activation from the other run (key 2)"
};
function clock(at2) {
  return at2 === null ? "" : new Date(at2).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}
function Second({ state: state2, snapshot }) {
  const change = realOrNull(snapshot.metric.change);
  if (!state2.connected) {
    return /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: [
      "as of ",
      clock(state2.lostAt),
      ", not live"
    ] });
  }
  if (state2.busy !== null) {
    return /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: [
      /* @__PURE__ */ a3("span", { class: "cb-pulse", children: "\u25CF " }),
      "computing ",
      state2.busy
    ] });
  }
  if (snapshot.edits.length === 0 && (change === null || change === 0)) {
    return /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: [
      "nothing edited: ",
      snapshot.base,
      " run"
    ] });
  }
  if (change === null) return /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: "as loaded" });
  const arrow = change < 0 ? "\u25BE " : change > 0 ? "\u25B4 " : "";
  return /* @__PURE__ */ a3($, { children: [
    /* @__PURE__ */ a3("span", { class: `cb-strong ${direction(change)}`, children: [
      arrow,
      signed(change)
    ] }),
    /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: " since last step" })
  ] });
}
function Badge({
  state: state2,
  setup,
  snapshot
}) {
  if (!state2.connected) return /* @__PURE__ */ a3("span", { class: "cb-badge cb-warn", children: "disconnected" });
  const latency = snapshot.latency_ms;
  return /* @__PURE__ */ a3(
    "span",
    {
      class: "cb-badge",
      title: `exact: each number is a full run with the edits in force. ${setup.engine.tier}: ${setup.engine.why}`,
      children: [
        /* @__PURE__ */ a3(Icon, { name: "check", size: 12 }),
        "exact",
        /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: [
          "\xB7",
          " ",
          setup.engine.tier,
          latency === null ? null : ` \xB7 ${duration(latency)}`
        ] })
      ]
    }
  );
}
function Controls({
  state: state2,
  act,
  setup,
  snapshot
}) {
  const off = !state2.connected;
  const refused = setup.has_corrupted ? null : "There is no corrupted prompt: give PromptPair one to edit its run.";
  const bases = [
    { value: "clean", text: "clean", refused: null, title: "Edit the clean run (key b switches)" },
    {
      value: "corrupted",
      text: "corrupted",
      refused,
      title: "Edit the corrupted run (key b switches)"
    }
  ];
  const modes = setup.modes.map(({ mode, refused: why }) => ({
    value: mode,
    text: mode,
    refused: why,
    title: MODE_TITLES[mode]
  }));
  return /* @__PURE__ */ a3("div", { class: "cb-ctrl", children: [
    /* @__PURE__ */ a3("div", { class: "cb-row cb-about", children: [
      /* @__PURE__ */ a3("span", { class: "cb-model", title: `${setup.model}, ${setup.dtype}, ${setup.device}`, children: [
        /* @__PURE__ */ a3("span", { class: "cb-strong", children: setup.model }),
        /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: [
          " ",
          setup.dtype.replace("float", "fp").replace("bfp", "bf"),
          " ",
          "\xB7",
          " ",
          setup.device
        ] })
      ] }),
      /* @__PURE__ */ a3(Badge, { state: state2, setup, snapshot })
    ] }),
    /* @__PURE__ */ a3("div", { class: "cb-row cb-switches", children: [
      /* @__PURE__ */ a3("span", { class: "cb-field", children: [
        "Base",
        /* @__PURE__ */ a3(
          Segmented,
          {
            cb: "base",
            label: "Base run",
            choices: bases,
            value: snapshot.base,
            disabled: off || !setup.has_corrupted,
            onChoose: act.setBase
          }
        )
      ] }),
      /* @__PURE__ */ a3("span", { class: "cb-field", children: [
        "Click to",
        /* @__PURE__ */ a3(
          Segmented,
          {
            cb: "mode",
            label: "What a click does",
            choices: modes,
            value: shownView(state2)?.mode ?? null,
            disabled: off,
            onChoose: (mode) => act.setView({ mode })
          }
        )
      ] })
    ] })
  ] });
}
function Header({ state: state2, act }) {
  const { setup, snapshot } = state2;
  if (setup === null || snapshot === null) {
    return /* @__PURE__ */ a3("header", { class: "cb-head", children: /* @__PURE__ */ a3("div", { class: "cb-metric", children: /* @__PURE__ */ a3("div", { class: "cb-hero", children: [
      /* @__PURE__ */ a3("span", { class: "cb-num cb-quiet-text", "data-cb": "metric", "data-value": "nan", children: "\u2013" }),
      /* @__PURE__ */ a3("p", { class: "cb-quiet-text", children: state2.connected ? "waiting for the kernel" : "no kernel" })
    ] }) }) });
  }
  const { metric } = snapshot;
  const value = real(metric.value);
  const waiting = state2.busy !== null || !state2.connected;
  const prompt = setup.prompts[shownView(state2)?.prompt ?? 0];
  return /* @__PURE__ */ a3("header", { class: "cb-head", children: [
    /* @__PURE__ */ a3("div", { class: "cb-metric", children: [
      /* @__PURE__ */ a3("div", { class: "cb-hero", children: [
        /* @__PURE__ */ a3(
          "span",
          {
            class: `cb-num${waiting ? " cb-quiet-text" : ""}`,
            "data-cb": "metric",
            "data-value": attribute(value),
            "aria-live": "polite",
            children: signed(value)
          }
        ),
        /* @__PURE__ */ a3("div", { children: [
          /* @__PURE__ */ a3("p", { children: [
            /* @__PURE__ */ a3("span", { class: "cb-strong", children: metricName(metric.name) }),
            /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: [
              ", ",
              metric.unit
            ] })
          ] }),
          /* @__PURE__ */ a3("p", { children: /* @__PURE__ */ a3(Second, { state: state2, snapshot }) })
        ] })
      ] }),
      /* @__PURE__ */ a3(
        ScaleBar,
        {
          metric: { ...metric, name: metricName(metric.name) },
          prompt,
          edited: snapshot.metric.change !== null
        }
      )
    ] }),
    /* @__PURE__ */ a3(Controls, { state: state2, act, setup, snapshot })
  ] });
}

// extension/src/store/scale.ts
var CLIP_PERCENTILE = 0.98;
function roundUp(x2) {
  if (!(x2 > 0) || !Number.isFinite(x2)) return 0;
  const step = 10 ** Math.floor(Math.log10(x2)) / 10;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return Number((Math.ceil(x2 / step - 1e-6) * step).toFixed(digits));
}
function clipOf(effect, known) {
  const sizes = [];
  for (let i3 = 0; i3 < effect.length; i3 += 1) {
    const size = Math.abs(effect[i3] ?? Number.NaN);
    if (known[i3] === 1 && Number.isFinite(size)) sizes.push(size);
  }
  if (sizes.length === 0) return 0;
  sizes.sort((a4, b) => a4 - b);
  return roundUp(sizes[Math.floor(CLIP_PERCENTILE * (sizes.length - 1))] ?? 0);
}
function baselineDistance(baselines) {
  if (baselines.corrupted === null) return null;
  const distance = Math.abs(real(baselines.clean) - real(baselines.corrupted));
  return Number.isFinite(distance) && distance > 0 ? distance : null;
}
function scaleKey(map) {
  return `${map.over} ${map.how} ${map.base}`;
}
function nextScale(map, before) {
  const clip = clipOf(map.effect, map.known);
  if (map.status === "computing" && before !== void 0) {
    return before > 0 ? before : clip;
  }
  return clip;
}

// extension/src/panels/map/cells.ts
var NOISE = 2e-3;
var NUMBER_FROM = 0.4;
function siteOf(over, row, column) {
  return over === "head" ? `${row}.${column}` : `resid_pre ${row}`;
}
function positionsOf(over, column, selected) {
  if (over === "resid_pre") return [column];
  return selected === null ? null : [...selected];
}
function cellName(over, row, column) {
  return over === "head" ? siteOf(over, row, column) : `resid_pre ${row} @ ${column}`;
}
function editOn(edits, over, row, column) {
  let found = null;
  edits.forEach((edit, index) => {
    if (edit.kind !== over || edit.layer !== row) return;
    const here = over === "head" ? edit.head === column : edit.positions === null || edit.positions.includes(column);
    if (here && (edit.enabled || found?.enabled !== true)) {
      found = { how: edit.how, enabled: edit.enabled, index };
    }
  });
  return found;
}
function isPending(clicks, over, row, column) {
  const site = siteOf(over, row, column);
  return clicks.some(
    (click2) => click2.site === site && (over === "head" || click2.positions?.includes(column) === true)
  );
}
function effectAt(map, row, column) {
  const i3 = row * (map.shape[1] ?? 0) + column;
  return map.known[i3] === 1 ? map.effect[i3] ?? null : null;
}
function beforeAt(map, row, column) {
  const x2 = map.before?.[row * (map.shape[1] ?? 0) + column];
  return x2 === void 0 || Number.isNaN(x2) ? null : x2;
}
function hasNumber(effect, clip) {
  return Math.abs(effect) >= NUMBER_FROM * clip && clip > 0;
}
function largest(map, count) {
  const columns = map.shape[1] ?? 0;
  const cells = [];
  map.effect.forEach((now, i3) => {
    const old = map.known[i3] !== 1;
    const effect = old ? map.before?.[i3] ?? Number.NaN : now;
    if (Number.isFinite(effect) && effect !== 0) {
      cells.push({ row: Math.floor(i3 / columns), column: i3 % columns, effect, old });
    }
  });
  cells.sort((a4, b) => Math.abs(b.effect) - Math.abs(a4.effect));
  const least = NOISE * Math.abs(cells[0]?.effect ?? 0);
  return cells.slice(0, count).filter(({ effect }) => Math.abs(effect) > least);
}

// extension/src/panels/map/colour.ts
var STOPS = {
  light: [
    "#a84811",
    "#d06b26",
    "#e8914c",
    "#f2b984",
    "#f4d9bb",
    "#f1f1ef",
    "#cce1f4",
    "#a1cbf1",
    "#75aee9",
    "#4c8dd7",
    "#2d68b8"
  ],
  dark: [
    "#f5ad5a",
    "#d2833b",
    "#a76231",
    "#7f4a2b",
    "#593827",
    "#2d2d2d",
    "#2d4261",
    "#355b8b",
    "#3f79b7",
    "#539ee1",
    "#7dc6fe"
  ]
};
function parse(hex) {
  return [1, 3, 5].map((i3) => Number.parseInt(hex.slice(i3, i3 + 2), 16));
}
function channel(value) {
  const x2 = value / 255;
  return x2 <= 0.04045 ? x2 / 12.92 : ((x2 + 0.055) / 1.055) ** 2.4;
}
function luminance(hex) {
  const [r3, g3, b] = parse(hex);
  return 0.2126 * channel(r3) + 0.7152 * channel(g3) + 0.0722 * channel(b);
}
function colourOf(effect, clip, theme) {
  const stops = STOPS[theme];
  const share = clip > 0 ? Math.max(-1, Math.min(1, effect / clip)) : 0;
  const x2 = (share + 1) / 2 * (stops.length - 1);
  const i3 = Math.min(stops.length - 2, Math.floor(x2));
  const from = parse(stops[i3] ?? "#000000");
  const to = parse(stops[i3 + 1] ?? "#000000");
  const mixed = from.map((v3, k2) => Math.round(v3 + ((to[k2] ?? 0) - v3) * (x2 - i3)));
  return `#${mixed.map((v3) => v3.toString(16).padStart(2, "0")).join("")}`;
}
function inkOn(fill) {
  return luminance(fill) > 0.179 ? "#000" : "#fff";
}

// extension/src/panels/map/Glyph.tsx
var SIGNS = {
  zero: "M-5 5L5 -5",
  mean: "M-5 0H5",
  resample: "M-6 1q3 -5 6 -1t6 -1",
  patch: "M-5 0H4M1 -3.5l3.5 3.5l-3.5 3.5",
  scale: "M-4 4V0M4 4V-4M0 4V-2",
  add: "M-4 4V0M4 4V-4M0 4V-2"
};
function Glyph({ how }) {
  const sign = SIGNS[how];
  if (sign === void 0) return null;
  return /* @__PURE__ */ a3("svg", { class: "cb-glyph", viewBox: "-8 -8 16 16", width: "16", height: "16", "aria-hidden": "true", children: [
    /* @__PURE__ */ a3("path", { class: "cb-glyph-ground", d: sign }),
    /* @__PURE__ */ a3("path", { class: "cb-glyph-sign", d: sign })
  ] });
}

// extension/src/panels/map/Cell.tsx
function same(a4, b) {
  return Object.is(a4, b);
}
function content(props) {
  const { how, enabled, clip } = props;
  const effect = props.effect ?? props.old;
  if (how !== "") return enabled ? /* @__PURE__ */ a3(Glyph, { how }) : null;
  if (effect === null) return null;
  if (Number.isNaN(effect)) return "nan";
  if (!Number.isFinite(effect)) return effect > 0 ? "+\u221E" : "\u2212\u221E";
  const bare = !props.stale && props.effect !== null && !props.pending;
  if (!bare || !hasNumber(effect, clip)) return null;
  const text = inCell(effect, clip);
  return text.length <= props.room ? text : null;
}
var Cell = class extends x {
  shouldComponentUpdate(next) {
    const now = this.props;
    return Object.keys(next).some(
      (key) => key === "effect" || key === "old" ? !same(now[key], next[key]) : now[key] !== next[key]
    );
  }
  render(props) {
    const { over, row, column, effect, how } = props;
    const drawn = effect ?? props.old;
    const finite = drawn !== null && Number.isFinite(drawn);
    const fill = finite ? colourOf(drawn, props.clip, props.theme) : null;
    const text = content(props);
    const classes = ["cb-cell"];
    if (drawn === null) classes.push("cb-unknown");
    else if (!finite) classes.push("cb-not-finite");
    else if (drawn === 0 && how === "") classes.push("cb-none");
    if (drawn !== null && (props.stale || effect === null)) classes.push("cb-stale");
    if (how !== "") classes.push(props.enabled ? "cb-edited" : "cb-edited cb-dashed");
    if (props.pending) classes.push("cb-in-flight cb-dashed");
    const place2 = over === "head" ? { "data-head": column } : { "data-site": over, "data-pos": column };
    return (
      // biome-ignore lint/a11y/useSemanticElements: an ARIA grid of toggles; a table has no such cells.
      // biome-ignore lint/a11y/useFocusableInteractive: the button inside takes the focus.
      /* @__PURE__ */ a3("div", { role: "gridcell", class: "cb-slot", children: /* @__PURE__ */ a3(
        "button",
        {
          type: "button",
          class: classes.join(" "),
          "data-cb": over === "head" ? "head" : "cell",
          "data-layer": row,
          ...place2,
          "data-column": column,
          "data-effect": effect === null ? "" : attribute(effect),
          "aria-pressed": how !== "",
          "aria-label": props.label,
          tabIndex: props.stop ? 0 : -1,
          disabled: props.disabled,
          style: fill === null ? {} : { backgroundColor: fill, color: inkOn(fill) },
          children: typeof text === "string" ? /* @__PURE__ */ a3("span", { "aria-hidden": "true", children: text }) : text
        }
      ) })
    );
  }
};

// extension/src/panels/map/HoverCard.tsx
var CARD_HEIGHT = 46;
function knowledge(props, effect) {
  if (effect === null) return /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: "not computed yet" });
  if (props.stale || effectAt(props.map, props.spot.row, props.spot.column) === null)
    return /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: "before the last step" });
  return /* @__PURE__ */ a3("span", { class: "cb-badge", children: [
    /* @__PURE__ */ a3(Icon, { name: "check", size: 10 }),
    "exact"
  ] });
}
function HoverCard(props) {
  const { map, spot, edit, pitch, height, top, gutter } = props;
  const effect = effectAt(map, spot.row, spot.column) ?? beforeAt(map, spot.row, spot.column);
  const columns = map.shape[1] ?? 1;
  const middle = gutter + (spot.column + 0.5) * pitch;
  const cellTop = top + spot.row * height;
  const above = cellTop > CARD_HEIGHT + 8;
  const vertical = above ? { bottom: `calc(100% - ${cellTop - 5}px)` } : { top: `${cellTop + height + 5}px` };
  const left = spot.column < columns / 2;
  const horizontal = left ? { left: `${middle - 24}px` } : { right: `calc(100% - ${middle + 24}px)` };
  const token = map.over === "resid_pre" ? props.prompt?.columns[spot.column]?.clean : void 0;
  return /* @__PURE__ */ a3(
    "div",
    {
      class: `cb-tip cb-tip-${above ? "above" : "below"} cb-tip-${left ? "left" : "right"}`,
      role: "tooltip",
      style: { ...vertical, ...horizontal },
      children: [
        /* @__PURE__ */ a3("div", { class: "cb-tip-line", children: [
          /* @__PURE__ */ a3("span", { children: [
            /* @__PURE__ */ a3("span", { class: "cb-strong", children: props.name }),
            token === void 0 ? null : /* @__PURE__ */ a3($, { children: [
              " ",
              /* @__PURE__ */ a3(Token, { text: token, longest: 16 })
            ] })
          ] }),
          knowledge(props, effect)
        ] }),
        /* @__PURE__ */ a3("div", { children: [
          effect === null ? /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: "a click edits it all the same" }) : /* @__PURE__ */ a3($, { children: [
            /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: "effect " }),
            /* @__PURE__ */ a3("span", { class: `cb-strong ${direction(effect)}`, children: signed(effect, Math.max(3, props.digits)) }),
            /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: [
              " ",
              props.unit,
              " (n=",
              props.prompts,
              ")"
            ] })
          ] }),
          edit === null ? null : /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: [
            " \xB7 ",
            edit.how,
            edit.enabled ? "" : ", off"
          ] })
        ] })
      ]
    }
  );
}

// extension/src/panels/map/words.ts
var DOING = { zero: "zeroing", patch: "patching" };
function cellWords(map, row, column, effect, edit, context) {
  const name = cellName(map.over, row, column);
  const subject = map.over === "head" ? `head ${name}` : name;
  const size = effect === null ? "not computed yet" : `effect ${signed(effect)} ${context.unit}`;
  const old = effect !== null && context.stale ? ", before the last step" : "";
  const edited = edit === null ? "" : `, edited: ${edit.how}${edit.enabled ? "" : ", switched off"}`;
  return `${subject}: ${size}${old}${edited}`;
}
function mapCaption(map, prompt) {
  const object = map.over === "head" ? "each head" : "the residual stream at one position";
  const source = map.how === "patch" ? ` from ${map.base === "clean" ? "corrupted" : "clean"}` : "";
  const where = map.over === "resid_pre" || map.positions === null ? "" : ` at ${map.positions.map((p3) => tokenWords(prompt?.columns[p3]?.labels[0] ?? String(p3), 10)).join(", ")}`;
  const top = map.n_edits === 0 ? `, on the ${map.base} run` : `, on top of ${map.n_edits} ${map.n_edits === 1 ? "edit" : "edits"}`;
  return `Effect of ${DOING[map.how]} ${object}${source}${where}${top}`;
}

// extension/src/panels/map/Grid.tsx
var GUTTER = 36;
var HEAD_LABELS = 20;
var TOKEN_LABELS = 54;
var SLANT = 22;
var NARROWEST = 18;
var WIDEST = { head: 64, resid_pre: 40 };
var DIGIT = 6.7;
var AROUND = 5;
var HOVER_MS = 120;
function rowHeight(rows) {
  if (rows <= 12) return Math.min(36, Math.max(24, Math.floor(200 / Math.max(1, rows))));
  return Math.max(14, Math.floor(420 / rows));
}
function spotUnder(target) {
  const cell = target instanceof Element ? target.closest(".cb-cell") : null;
  if (cell === null) return null;
  return { row: Number(cell.dataset.layer), column: Number(cell.dataset.column) };
}
function moved(spot, key, ctrl, rows, columns) {
  const { row, column } = spot;
  switch (key) {
    case "ArrowUp":
      return { row: Math.max(0, row - 1), column };
    case "ArrowDown":
      return { row: Math.min(rows - 1, row + 1), column };
    case "ArrowLeft":
      return { row, column: Math.max(0, column - 1) };
    case "ArrowRight":
      return { row, column: Math.min(columns - 1, column + 1) };
    case "Home":
      return { row: ctrl ? 0 : row, column: 0 };
    case "End":
      return { row: ctrl ? rows - 1 : row, column: columns - 1 };
    default:
      return null;
  }
}
function useHover() {
  const [hover, setHover] = d2(null);
  const timer = T2(void 0);
  const shown = T2(false);
  const show = (spot, atOnce = false) => {
    clearTimeout(timer.current);
    if (spot !== null && !shown.current && !atOnce) {
      timer.current = setTimeout(() => show(spot, true), HOVER_MS);
      return;
    }
    shown.current = spot !== null;
    setHover(spot);
  };
  A2(() => () => clearTimeout(timer.current), []);
  return [hover, show];
}
function ColumnLabels(props) {
  const { over, columns, prompt, selected, hover } = props;
  const labels = [];
  for (let i3 = 0; i3 < columns; i3 += 1) {
    const column = prompt?.columns[i3];
    const tag = column?.labels[0];
    const strong = hover?.column === i3 || over === "resid_pre" && (tag !== void 0 || (selected?.includes(i3) ?? false));
    labels.push(
      /* @__PURE__ */ a3("span", { class: `cb-axis${strong ? " cb-axis-on" : ""}`, children: over === "head" ? i3 : /* @__PURE__ */ a3("span", { class: "cb-slanted", children: tag === void 0 ? tokenWords((column?.clean ?? "").trimStart() || " ", 7) : tokenWords(tag, 7) }) }, i3)
    );
  }
  return /* @__PURE__ */ a3("div", { class: "cb-axis-row", "aria-hidden": "true", children: labels });
}
function Grid(props) {
  const { map, edits, clicks, disabled } = props;
  const { over } = map;
  const rows = map.shape[0] ?? 0;
  const columns = map.shape[1] ?? 0;
  const [ref, width] = useWidth(420);
  const [hover, show] = useHover();
  const [stop, setStop] = d2({ row: 0, column: 0 });
  const at2 = {
    row: Math.min(stop.row, rows - 1),
    column: Math.min(stop.column, columns - 1)
  };
  const slant = over === "head" ? 0 : SLANT;
  const pitch = Math.max(
    NARROWEST,
    Math.min(WIDEST[over], Math.floor((width - GUTTER - slant) / Math.max(1, columns)))
  );
  const height = rowHeight(rows);
  const top = over === "head" ? HEAD_LABELS : TOKEN_LABELS;
  const focus = (root, spot) => {
    setStop(spot);
    root.querySelector(
      `.cb-cell[data-layer="${spot.row}"][data-column="${spot.column}"]`
    )?.focus();
  };
  const onKeyDown = (event) => {
    const spot = spotUnder(event.target);
    if (spot === null) return;
    if (event.key === "Delete" || event.key === "Backspace") {
      const edit = editOn(edits, over, spot.row, spot.column);
      event.preventDefault();
      event.stopPropagation();
      if (edit !== null) props.onRemove(edit.index);
      return;
    }
    if (event.key === "Escape" && hover !== null) {
      event.stopPropagation();
      show(null);
      return;
    }
    const next = moved(spot, event.key, event.ctrlKey || event.metaKey, rows, columns);
    if (next === null) return;
    event.preventDefault();
    event.stopPropagation();
    focus(event.currentTarget, next);
  };
  const grid = [];
  for (let row = 0; row < rows; row += 1) {
    const cells = [];
    for (let column = 0; column < columns; column += 1) {
      const edit = editOn(edits, over, row, column);
      const effect = effectAt(map, row, column);
      cells.push(
        /* @__PURE__ */ a3(
          Cell,
          {
            over,
            row,
            column,
            effect,
            old: effect === null ? beforeAt(map, row, column) : null,
            clip: props.clip,
            stale: props.stale,
            theme: props.theme,
            how: edit?.how ?? "",
            enabled: edit?.enabled ?? false,
            pending: isPending(clicks, over, row, column),
            room: Math.floor((pitch - AROUND) / DIGIT),
            stop: row === at2.row && column === at2.column,
            disabled,
            label: cellWords(map, row, column, effect, edit, props)
          },
          column
        )
      );
    }
    grid.push(
      // biome-ignore lint/a11y/useSemanticElements: an ARIA grid of toggles; a table has no such cells.
      // biome-ignore lint/a11y/useFocusableInteractive: the cells' buttons take the focus.
      /* @__PURE__ */ a3("div", { role: "row", class: "cb-line-of-cells", children: cells }, row)
    );
  }
  const layerLabels = [];
  for (let row = 0; row < rows; row += 1) {
    layerLabels.push(
      /* @__PURE__ */ a3("span", { class: `cb-axis${hover?.row === row ? " cb-axis-on" : ""}`, children: row }, row)
    );
  }
  const sizes = {
    "--cb-pitch": `${pitch}px`,
    "--cb-row": `${height}px`,
    "--cb-top": `${top}px`,
    "--cb-columns": columns,
    "--cb-slant": `${slant}px`
  };
  return /* @__PURE__ */ a3("div", { class: `cb-plot cb-plot-${over}`, ref, style: sizes, children: [
    /* @__PURE__ */ a3("div", { class: "cb-layers", "aria-hidden": "true", children: [
      /* @__PURE__ */ a3("span", { class: "cb-axis-name-top", children: over === "head" ? "head" : "" }),
      /* @__PURE__ */ a3("span", { class: "cb-axis-name-side", children: "layer" }),
      layerLabels
    ] }),
    /* @__PURE__ */ a3("div", { class: "cb-scroll", children: [
      /* @__PURE__ */ a3(
        ColumnLabels,
        {
          over,
          columns,
          prompt: props.prompt,
          selected: props.selected,
          hover
        }
      ),
      /* @__PURE__ */ a3(
        "div",
        {
          role: "grid",
          class: "cb-grid",
          tabIndex: -1,
          "aria-label": over === "head" ? "Effect of each head: layer by head" : "Effect of the residual stream: layer by position",
          "aria-rowcount": rows,
          "aria-colcount": columns,
          "data-stale": props.stale,
          onKeyDown,
          onClick: (event) => {
            const spot = spotUnder(event.target);
            if (spot === null) return;
            setStop(spot);
            props.onClick(spot);
          },
          onPointerOver: (event) => {
            const spot = spotUnder(event.target);
            if (spot !== null) show(spot);
          },
          onPointerLeave: () => show(null),
          onFocusIn: (event) => {
            const spot = spotUnder(event.target);
            if (spot === null) return;
            setStop(spot);
            if (event.target instanceof Element && event.target.matches(":focus-visible"))
              show(spot, true);
          },
          onFocusOut: () => show(null),
          children: grid
        }
      )
    ] }),
    hover === null || hover.row >= rows || hover.column >= columns ? null : /* @__PURE__ */ a3(
      HoverCard,
      {
        map,
        spot: hover,
        name: cellName(over, hover.row, hover.column),
        prompt: props.prompt,
        prompts: props.prompts,
        unit: props.unit,
        stale: props.stale,
        edit: editOn(edits, over, hover.row, hover.column),
        pitch,
        height,
        top,
        gutter: GUTTER,
        digits: decimals(props.clip) + 1
      }
    )
  ] });
}

// extension/src/panels/map/Legend.tsx
var NAMED = 3;
function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
function note(map, clip, unit, fixed) {
  const end = plain(clip, decimals(clip) + (fixed ? 1 : 0));
  const ends = fixed ? `scale \xB1${end}, the distance between the baselines` : `clipped at \xB1${end} (98th percentile of |effect|)`;
  const beyond = largest(map, map.effect.length).filter(
    (cell) => !cell.old && Math.abs(cell.effect) > clip * (1 + 1e-6)
  );
  const names = beyond.slice(0, NAMED).map((cell) => cellName(map.over, cell.row, cell.column));
  const more = beyond.length > NAMED ? ` and ${beyond.length - NAMED} more` : "";
  return `${capital(unit)}, ${ends}.${names.length > 0 ? ` Beyond: ${names.join(", ")}${more}.` : ""}`;
}
function Key({
  swatch,
  children
}) {
  return /* @__PURE__ */ a3("span", { class: "cb-key", children: [
    swatch,
    children
  ] });
}
function Legend({ map, clip, unit, fixed, stale, edited, theme }) {
  const unknown = map.known.reduce((n2, k2) => n2 + (k2 === 1 ? 0 : 1), 0);
  const bad = map.effect.some((x2, i3) => map.known[i3] === 1 && !Number.isFinite(x2));
  const nothing = map.effect.some((x2, i3) => map.known[i3] === 1 && x2 === 0);
  const stops = STOPS[theme];
  const digits = decimals(clip);
  if (clip === 0) {
    const why = unknown === map.known.length ? "The scale is set from the first effects." : "No cell computed so far changes the metric.";
    return /* @__PURE__ */ a3("p", { class: "cb-note", children: why });
  }
  return /* @__PURE__ */ a3("div", { children: [
    /* @__PURE__ */ a3("div", { class: "cb-legend", children: [
      /* @__PURE__ */ a3(
        "div",
        {
          class: "cb-ramp",
          role: "img",
          "aria-label": `Colour scale from ${signed(-clip, digits)} to ${signed(clip, digits)} ${unit}`,
          children: [
            /* @__PURE__ */ a3("span", { class: "cb-ramp-low", style: { borderRightColor: stops[0] } }),
            /* @__PURE__ */ a3(
              "span",
              {
                class: "cb-ramp-bar",
                style: { backgroundImage: `linear-gradient(to right, ${stops.join(", ")})` }
              }
            ),
            /* @__PURE__ */ a3("span", { class: "cb-ramp-high", style: { borderLeftColor: stops[10] } }),
            /* @__PURE__ */ a3("span", { class: "cb-ramp-text", children: [
              signed(-clip, digits),
              " lower"
            ] }),
            /* @__PURE__ */ a3("span", { class: "cb-ramp-text", children: "0" }),
            /* @__PURE__ */ a3("span", { class: "cb-ramp-text", children: [
              signed(clip, digits),
              " higher"
            ] })
          ]
        }
      ),
      /* @__PURE__ */ a3("div", { class: "cb-keys", children: [
        stale || unknown > 0 && map.before !== null ? /* @__PURE__ */ a3(Key, { swatch: /* @__PURE__ */ a3("span", { class: "cb-swatch cb-stale" }), children: stale ? "not up to date" : `${unknown} not up to date` }) : unknown > 0 ? /* @__PURE__ */ a3(Key, { swatch: /* @__PURE__ */ a3("span", { class: "cb-swatch cb-unknown" }), children: [
          unknown,
          " not computed yet"
        ] }) : /* @__PURE__ */ a3("span", { class: "cb-key", children: [
          /* @__PURE__ */ a3(Icon, { name: "check", size: 12 }),
          "all exact"
        ] }),
        nothing ? /* @__PURE__ */ a3(Key, { swatch: /* @__PURE__ */ a3("span", { class: "cb-swatch cb-none" }), children: "exactly 0" }) : null,
        bad ? /* @__PURE__ */ a3(Key, { swatch: /* @__PURE__ */ a3("span", { class: "cb-swatch cb-not-finite" }), children: "not finite" }) : null,
        edited ? /* @__PURE__ */ a3(
          Key,
          {
            swatch: /* @__PURE__ */ a3("span", { class: "cb-swatch cb-edited", children: /* @__PURE__ */ a3(Glyph, { how: "zero" }) }),
            children: "edited"
          }
        ) : null
      ] })
    ] }),
    /* @__PURE__ */ a3("p", { class: "cb-note", children: note(map, clip, unit, fixed) })
  ] });
}

// extension/src/panels/map/MapPanel.tsx
var TABS = { head: "Heads", resid_pre: "Residual \xD7 position" };
var FAR_BEYOND = 2;
function clipFor(state2) {
  const map = currentMap(state2);
  if (map === null || state2.snapshot === null) return { clip: 0, fixed: false };
  const clip = state2.scales[scaleKey(map)] ?? 0;
  const distance = map.over === "resid_pre" ? baselineDistance(state2.snapshot.metric.baselines) : null;
  return distance === null || clip > FAR_BEYOND * distance ? { clip, fixed: false } : { clip: distance, fixed: true };
}
function Tabs({ maps, shown, disabled, onChoose }) {
  const onKeyDown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = step === void 0 ? void 0 : maps[(maps.indexOf(shown) + step + maps.length) % maps.length];
    if (next === void 0) return;
    event.preventDefault();
    event.stopPropagation();
    onChoose(next);
    event.currentTarget.querySelector(`[data-value="${next}"]`)?.focus();
  };
  return /* @__PURE__ */ a3(
    "div",
    {
      class: "cb-tabs",
      role: "tablist",
      "aria-label": "Maps",
      "data-cb": "map",
      "data-value": shown,
      onKeyDown,
      children: maps.map((map) => /* @__PURE__ */ a3(
        "button",
        {
          type: "button",
          role: "tab",
          "data-value": map,
          "aria-selected": map === shown,
          tabIndex: map === shown ? 0 : -1,
          disabled,
          onClick: () => onChoose(map),
          children: TABS[map]
        },
        map
      ))
    }
  );
}
function Plot({
  state: state2,
  act,
  theme
}) {
  const { setup, snapshot } = state2;
  const map = currentMap(state2);
  const view = shownView(state2);
  if (map === null || view === null || setup === null || snapshot === null) {
    return /* @__PURE__ */ a3("p", { class: "cb-hint cb-map-hint", children: "The map is on its way." });
  }
  const { clip, fixed } = clipFor(state2);
  const stale = isStale(map, snapshot, view);
  const prompt = setup.prompts[view.prompt];
  const { unit } = snapshot.metric;
  return /* @__PURE__ */ a3($, { children: [
    /* @__PURE__ */ a3("p", { class: "cb-caption", children: mapCaption(map, prompt) }),
    /* @__PURE__ */ a3(
      Grid,
      {
        map,
        clip,
        stale,
        unit,
        prompts: setup.prompts.length,
        prompt,
        edits: snapshot.edits,
        clicks: state2.clicks,
        selected: view.positions,
        theme,
        disabled: !state2.connected,
        onClick: ({ row, column }) => act.click(siteOf(map.over, row, column), positionsOf(map.over, column, view.positions)),
        onRemove: act.remove
      },
      map.over
    ),
    /* @__PURE__ */ a3(
      Legend,
      {
        map,
        clip,
        unit,
        fixed,
        stale,
        edited: snapshot.edits.some(
          (edit) => edit.kind === map.over && editOn([edit], map.over, edit.layer, edit.head ?? edit.positions?.[0] ?? 0) !== null
        ),
        theme
      }
    )
  ] });
}
function MapPanel({
  state: state2,
  act,
  theme
}) {
  const view = shownView(state2);
  const maps = state2.setup?.maps ?? ["head"];
  const shown = view?.map ?? "head";
  return /* @__PURE__ */ a3("section", { class: "cb-map", "aria-label": `Map: ${TABS[shown]}`, children: [
    /* @__PURE__ */ a3(
      Tabs,
      {
        maps,
        shown,
        disabled: !state2.connected || view === null,
        onChoose: (map) => act.setView({ map })
      }
    ),
    /* @__PURE__ */ a3(Plot, { state: state2, act, theme })
  ] });
}

// extension/src/panels/prompts/selection.ts
var sorted = (positions) => {
  const list = [...new Set(positions)].sort((a4, b) => a4 - b);
  return list.length === 0 ? null : list;
};
function toggleAlone(selection, position) {
  return selection?.length === 1 && selection[0] === position ? null : [position];
}
function toggleIn(selection, position) {
  const now = selection ?? [];
  return sorted(now.includes(position) ? now.filter((p3) => p3 !== position) : [...now, position]);
}
function range(from, to, kept = null) {
  const low = Math.min(from, to);
  const span = Array.from({ length: Math.abs(to - from) + 1 }, (_3, i3) => low + i3);
  return sorted([...kept ?? [], ...span]) ?? [];
}

// extension/src/panels/prompts/Prompts.tsx
function positionWords(positions, prompt) {
  if (positions === null) return "all positions";
  return positions.map((p3) => prompt?.columns[p3]?.labels[0] ?? String(p3)).join(", ");
}
function Column({ column, position, selected, stop, disabled }) {
  const { clean, corrupted, differs, labels } = column;
  const words = [
    `position ${position}${labels.length > 0 ? `, ${labels.join(", ")}` : ""}: ${corrupted === null ? "" : "clean "}${tokenWords(clean)}`,
    corrupted === null ? "" : `, corrupted ${tokenWords(corrupted)}`,
    differs ? ", differs" : ""
  ].join("");
  return /* @__PURE__ */ a3(
    "button",
    {
      type: "button",
      class: `cb-tok${differs ? " cb-diff" : ""}`,
      "data-cb": "token",
      "data-pos": position,
      "aria-pressed": selected,
      "aria-label": words,
      tabIndex: stop ? 0 : -1,
      disabled,
      children: [
        /* @__PURE__ */ a3("span", { class: "cb-tok-index", "aria-hidden": "true", children: [
          labels.map((label) => /* @__PURE__ */ a3("span", { class: "cb-tag", children: tokenWords(label, 10) }, label)),
          position
        ] }),
        /* @__PURE__ */ a3("span", { class: "cb-tok-clean", "aria-hidden": "true", children: /* @__PURE__ */ a3(Token, { text: clean }) }),
        corrupted === null ? null : /* @__PURE__ */ a3("span", { class: "cb-tok-corrupted", "aria-hidden": "true", children: /* @__PURE__ */ a3(Token, { text: corrupted }) })
      ]
    }
  );
}
function positionUnder(target) {
  const token = target instanceof Element ? target.closest('[data-cb="token"]') : null;
  return token === null ? null : Number(token.dataset.pos);
}
function Strip({ prompt, selected, disabled, onSelect }) {
  const drag = T2(null);
  const [dragged, setDragged] = d2(void 0);
  const [stop, setStop] = d2(0);
  const shown = dragged === void 0 ? selected : dragged;
  const last = prompt.columns.length - 1;
  const finish = () => {
    const { current } = drag;
    drag.current = null;
    if (current?.moved === true && dragged !== void 0)
      onSelect(dragged === null ? null : [...dragged]);
    setDragged(void 0);
  };
  const onKeyDown = (event) => {
    const position = positionUnder(event.target);
    if (position === null) return;
    const to = { ArrowRight: position + 1, ArrowLeft: position - 1, Home: 0, End: last }[event.key];
    if (to === void 0) {
      if (event.key === "Escape" && selected !== null) {
        event.stopPropagation();
        onSelect(null);
      }
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const next = Math.max(0, Math.min(last, to));
    setStop(next);
    event.currentTarget.querySelector(`[data-pos="${next}"]`)?.focus();
    if (event.shiftKey) onSelect(range(position, next, selected));
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a toolbar of toggles, not a form's fieldset.
    /* @__PURE__ */ a3(
      "div",
      {
        class: "cb-toks",
        role: "group",
        "aria-label": "Tokens; select the positions where edits act",
        onKeyDown,
        onPointerDown: (event) => {
          const from = positionUnder(event.target);
          if (from === null || event.button !== 0 || disabled) return;
          drag.current = {
            from,
            kept: event.ctrlKey || event.metaKey ? selected : null,
            moved: false
          };
        },
        onPointerOver: (event) => {
          const to = positionUnder(event.target);
          const { current } = drag;
          if (current === null || to === null || (event.buttons & 1) === 0) return;
          if (to !== current.from) current.moved = true;
          if (current.moved) setDragged(range(current.from, to, current.kept));
        },
        onPointerUp: () => {
          if (drag.current?.moved === true) finish();
        },
        onPointerLeave: finish,
        onPointerCancel: finish,
        onClick: (event) => {
          const position = positionUnder(event.target);
          drag.current = null;
          if (position === null) return;
          setStop(position);
          if (event.shiftKey) onSelect(range(stop, position));
          else
            onSelect((event.ctrlKey || event.metaKey ? toggleIn : toggleAlone)(selected, position));
        },
        children: prompt.columns.map((column, position) => /* @__PURE__ */ a3(
          Column,
          {
            column,
            position,
            selected: shown?.includes(position) ?? false,
            stop: position === Math.min(stop, last),
            disabled
          },
          position
        ))
      }
    )
  );
}
function Prompts({ setup, view, connected, act }) {
  const prompt = setup.prompts[view.prompt];
  if (prompt === void 0) return null;
  const n2 = setup.prompts.length;
  const paired = prompt.columns.some((column) => column.corrupted !== null);
  return /* @__PURE__ */ a3("section", { class: "cb-prompts", "aria-label": "Prompts", children: [
    /* @__PURE__ */ a3("div", { class: "cb-strip", children: [
      /* @__PURE__ */ a3("div", { class: "cb-runs", children: [
        /* @__PURE__ */ a3("span", {}),
        /* @__PURE__ */ a3("span", { class: "cb-pos cb-strong", children: "clean" }),
        paired ? /* @__PURE__ */ a3("span", { class: "cb-neg cb-strong", children: "corrupted" }) : null
      ] }),
      /* @__PURE__ */ a3(
        Strip,
        {
          prompt,
          selected: view.positions,
          disabled: !connected,
          onSelect: (positions) => act.setView({ positions })
        },
        view.prompt
      )
    ] }),
    /* @__PURE__ */ a3("div", { class: "cb-meta", children: [
      n2 > 1 ? /* @__PURE__ */ a3("span", { class: "cb-row cb-pager", children: [
        /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: [
          "prompt ",
          view.prompt + 1,
          " of ",
          n2
        ] }),
        /* @__PURE__ */ a3(
          IconButton,
          {
            icon: "left",
            cb: "prompt-previous",
            label: "Previous prompt ([)",
            disabled: !connected || view.prompt === 0,
            onClick: () => act.setView({ prompt: view.prompt - 1 })
          }
        ),
        /* @__PURE__ */ a3(
          IconButton,
          {
            icon: "right",
            cb: "prompt-next",
            label: "Next prompt (])",
            disabled: !connected || view.prompt === n2 - 1,
            onClick: () => act.setView({ prompt: view.prompt + 1 })
          }
        )
      ] }) : /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: "one prompt" }),
      /* @__PURE__ */ a3("span", { children: [
        /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: "answer " }),
        /* @__PURE__ */ a3("b", { class: "cb-pos", children: /* @__PURE__ */ a3(Token, { text: prompt.answer, longest: 20 }) }),
        prompt.wrong === null ? null : /* @__PURE__ */ a3($, { children: [
          /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: " against " }),
          /* @__PURE__ */ a3("b", { class: "cb-neg", children: /* @__PURE__ */ a3(Token, { text: prompt.wrong, longest: 20 }) })
        ] })
      ] }),
      view.positions === null ? /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: "edits act at all positions" }) : /* @__PURE__ */ a3("span", { children: [
        /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: "edits act at " }),
        /* @__PURE__ */ a3("span", { class: "cb-strong", children: positionWords(view.positions, prompt) }),
        /* @__PURE__ */ a3("span", { class: "cb-quiet-text", children: [
          " ",
          "\xB7",
          " "
        ] }),
        /* @__PURE__ */ a3(
          "button",
          {
            type: "button",
            class: "cb-link",
            "data-cb": "positions-all",
            disabled: !connected,
            onClick: () => act.setView({ positions: null }),
            children: "all"
          }
        )
      ] })
    ] })
  ] });
}

// extension/src/panels/ranking/Ranking.tsx
var ROWS = 10;
function hint(state2) {
  const map = currentMap(state2);
  const what = map?.over === "resid_pre" ? "a cell" : "a head";
  const mode = shownView(state2)?.mode ?? "zero";
  const doing = mode === "zero" ? `Click ${what} to zero it.` : `Click ${what} to patch it from the other run.`;
  return `${doing} The number, the tokens and the whole map follow; click again to take it back.`;
}
function Ranking({ state: state2, act }) {
  const { snapshot } = state2;
  const map = currentMap(state2);
  const view = shownView(state2);
  const empty = snapshot !== null && snapshot.edits.length === 0;
  const stale = map !== null && snapshot !== null && view !== null && isStale(map, snapshot, view);
  const rows = map === null ? [] : largest(map, ROWS);
  const prompt = state2.setup?.prompts[view?.prompt ?? 0];
  const most = Math.abs(rows[0]?.effect ?? 1);
  return /* @__PURE__ */ a3("section", { class: "cb-ranking", "aria-label": "Largest effects", children: [
    /* @__PURE__ */ a3("h3", { class: "cb-h", children: [
      "Largest effects",
      map?.over === "resid_pre" ? " of resid_pre" : "",
      snapshot === null ? null : /* @__PURE__ */ a3("span", { class: "cb-quiet-text cb-plain", children: [
        " in ",
        snapshot.metric.unit
      ] })
    ] }),
    empty ? /* @__PURE__ */ a3("p", { class: "cb-hint", children: hint(state2) }) : null,
    map === null || view === null || rows.length === 0 ? /* @__PURE__ */ a3("p", { class: "cb-hint", children: map === null || map.status === "computing" ? "They appear here as they are computed." : "No cell changes the metric." }) : /* @__PURE__ */ a3("ol", { class: "cb-ranks", children: rows.map(({ row, column, effect, old }) => {
      const name = cellName(map.over, row, column);
      const edit = editOn(snapshot?.edits ?? [], map.over, row, column);
      const label = prompt?.columns[column]?.labels[0];
      const pending = isPending(state2.clicks, map.over, row, column);
      const share = `${(50 * Math.abs(effect) / most).toFixed(1)}%`;
      return /* @__PURE__ */ a3("li", { children: /* @__PURE__ */ a3(
        "button",
        {
          type: "button",
          class: `cb-rank${old || stale ? " cb-rank-old" : ""}${pending ? " cb-in-flight" : ""}`,
          "data-cb": "rank",
          "aria-pressed": edit !== null,
          "aria-label": `${name}: effect ${signed(effect)}${edit === null ? "" : `, edited: ${edit.how}`}`,
          disabled: !state2.connected,
          onClick: () => act.click(
            siteOf(map.over, row, column),
            positionsOf(map.over, column, view.positions)
          ),
          children: [
            /* @__PURE__ */ a3("span", { class: "cb-rank-name", children: [
              map.over === "head" ? name : `${row} @ ${tokenWords(label ?? String(column), 8)}`,
              edit === null ? null : /* @__PURE__ */ a3("span", { class: `cb-swatch cb-edited${edit.enabled ? "" : " cb-dashed"}`, children: edit.enabled ? /* @__PURE__ */ a3(Glyph, { how: edit.how }) : null })
            ] }),
            /* @__PURE__ */ a3("span", { class: "cb-rank-bar", "aria-hidden": "true", children: /* @__PURE__ */ a3(
              "span",
              {
                class: `${direction(effect)}-fill`,
                style: effect < 0 ? { right: "50%", width: share } : { left: "50%", width: share }
              }
            ) }),
            /* @__PURE__ */ a3("span", { class: `cb-rank-effect ${direction(effect)}`, children: signed(effect) })
          ]
        }
      ) }, name);
    }) })
  ] });
}

// extension/src/panels/tokens/Tokens.tsx
function Row2({
  row,
  prompt,
  most,
  edited
}) {
  const side = row.token === prompt?.answer ? "pos" : row.token === prompt?.wrong ? "neg" : null;
  const width = (p3) => ({ width: `${(100 * p3 / most).toFixed(1)}%` });
  return /* @__PURE__ */ a3("tr", { "data-cb": "top-token", "data-token": row.token, "data-prob": row.prob, children: [
    /* @__PURE__ */ a3("th", { scope: "row", class: side === null ? "" : `cb-strong cb-${side}`, children: /* @__PURE__ */ a3(Token, { text: row.token, longest: 16 }) }),
    /* @__PURE__ */ a3("td", { class: "cb-tt-bars", "aria-hidden": "true", children: [
      /* @__PURE__ */ a3("span", { class: "cb-tt-before", style: width(row.base_prob) }),
      edited ? /* @__PURE__ */ a3(
        "span",
        {
          class: `cb-tt-now ${side === null ? "" : `cb-${side}-fill`}`,
          style: width(row.prob)
        }
      ) : null
    ] }),
    /* @__PURE__ */ a3("td", { class: edited ? "cb-quiet-text" : "", children: percent(row.base_prob) }),
    edited ? /* @__PURE__ */ a3("td", { children: percent(row.prob) }) : null
  ] });
}
function Table({
  snapshot,
  prompt
}) {
  const { rows } = snapshot.top_tokens;
  const edited = snapshot.edits.some((edit) => edit.enabled);
  const most = Math.max(1e-6, ...rows.map((row) => Math.max(row.prob, row.base_prob)));
  return /* @__PURE__ */ a3("table", { class: "cb-tt", children: [
    /* @__PURE__ */ a3("thead", { children: /* @__PURE__ */ a3("tr", { children: [
      /* @__PURE__ */ a3("th", { scope: "col", children: /* @__PURE__ */ a3("span", { class: "cb-hidden", children: "token" }) }),
      /* @__PURE__ */ a3("td", {}),
      /* @__PURE__ */ a3("th", { scope: "col", children: snapshot.base }),
      edited ? /* @__PURE__ */ a3("th", { scope: "col", children: "now" }) : null
    ] }) }),
    /* @__PURE__ */ a3("tbody", { children: rows.map((row) => /* @__PURE__ */ a3(Row2, { row, prompt, most, edited }, row.token_id)) })
  ] });
}
function Tokens({ state: state2 }) {
  const { setup, snapshot } = state2;
  if (setup === null || snapshot === null) {
    return /* @__PURE__ */ a3("section", { class: "cb-sec", "aria-label": "Top tokens", children: [
      /* @__PURE__ */ a3("h3", { class: "cb-h", children: "Top tokens" }),
      /* @__PURE__ */ a3("p", { class: "cb-hint", children: "Waiting for the first run." })
    ] });
  }
  const { top_tokens: top } = snapshot;
  return /* @__PURE__ */ a3("section", { class: "cb-sec", "aria-label": "Top tokens", children: [
    /* @__PURE__ */ a3("div", { class: "cb-sechead", children: [
      /* @__PURE__ */ a3("h3", { class: "cb-h", children: [
        "Top tokens at ",
        top.at
      ] }),
      /* @__PURE__ */ a3("span", { class: "cb-grow" }),
      setup.prompts.length > 1 ? /* @__PURE__ */ a3("span", { class: "cb-quiet-text cb-small", children: [
        "prompt ",
        top.prompt + 1
      ] }) : null
    ] }),
    /* @__PURE__ */ a3(Table, { snapshot, prompt: setup.prompts[top.prompt] })
  ] });
}

// extension/src/panels/board/keys.ts
var MODES = { "1": "zero", "2": "patch" };
function history(event, act) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return false;
  const key = event.key.toLowerCase();
  if (key === "z") (event.shiftKey ? act.redo : act.undo)();
  else if (key === "y") act.redo();
  else return false;
  return true;
}
function choose(event, state2, act) {
  const { setup, snapshot } = state2;
  const view = shownView(state2);
  if (setup === null || snapshot === null || view === null) return false;
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const { key } = event;
  if (key === "1" || key === "2") {
    const mode = MODES[key];
    if (setup.modes.some((info) => info.mode === mode && info.refused === null))
      act.setView({ mode });
    return true;
  }
  if (key === "b") {
    if (setup.has_corrupted) act.setBase(snapshot.base === "clean" ? "corrupted" : "clean");
    return true;
  }
  if (key === "[" && view.prompt > 0) act.setView({ prompt: view.prompt - 1 });
  else if (key === "]" && view.prompt < setup.prompts.length - 1)
    act.setView({ prompt: view.prompt + 1 });
  else if (key === "Escape" && view.positions !== null) act.setView({ positions: null });
  else return false;
  return true;
}
function onKey(event, state2, act) {
  return history(event, act) || choose(event, state2, act);
}

// extension/src/panels/board/Board.tsx
var COPIED_MS = 1500;
function useCopy(code) {
  const [copied, setCopied] = d2(false);
  const [byHand, setByHand] = d2(null);
  const timer = T2(void 0);
  A2(() => () => clearTimeout(timer.current), []);
  const copy = () => {
    const text = code();
    void copyLater(text).then(async (left) => {
      if (left !== null) return setByHand(left);
      if (await text === null) return void 0;
      setCopied(true);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => setCopied(false), COPIED_MS);
      return void 0;
    });
  };
  return { copied, byHand, copy, close: () => setByHand(null) };
}
function Board({ store }) {
  const [, redraw] = _2((n2) => n2 + 1, 0);
  F2(() => {
    redraw();
    return store.subscribe(redraw);
  }, [store]);
  const act = w2(() => actionsOf(store), [store]);
  const theme = useTheme();
  const state2 = store.state();
  const view = shownView(state2);
  const copying = useCopy(async () => {
    const answer = await act.code();
    return answer.kind === "code" ? answer.text : null;
  });
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the controls inside bubble up to here.
    /* @__PURE__ */ a3(
      "div",
      {
        class: `cb-root cb-${theme}`,
        "data-cb": "board",
        "data-state": phase(state2),
        "data-engine": state2.setup?.engine.tier ?? "",
        "data-revision": state2.snapshot?.revision ?? "",
        "data-lm-suppress-shortcuts": "true",
        onKeyDown: (event) => {
          if (!onKey(event, store.state(), act)) return;
          event.preventDefault();
          event.stopPropagation();
        },
        children: /* @__PURE__ */ a3("div", { class: `cb-board${state2.connected ? "" : " cb-frozen"}`, children: [
          /* @__PURE__ */ a3(Header, { state: state2, act }),
          /* @__PURE__ */ a3(Banner, { state: state2, act }),
          copying.byHand === null ? null : /* @__PURE__ */ a3(CodeDialog, { text: copying.byHand, onClose: copying.close }),
          state2.setup === null || view === null ? null : /* @__PURE__ */ a3(Prompts, { setup: state2.setup, view, connected: state2.connected, act }),
          /* @__PURE__ */ a3("div", { class: "cb-main", children: [
            /* @__PURE__ */ a3(MapPanel, { state: state2, act, theme }),
            /* @__PURE__ */ a3(Ranking, { state: state2, act }),
            /* @__PURE__ */ a3("aside", { class: "cb-side", "aria-label": "Edits and top tokens", children: [
              /* @__PURE__ */ a3(Edits, { state: state2, act, copied: copying.copied, onCopy: copying.copy }),
              /* @__PURE__ */ a3(Tokens, { state: state2 })
            ] })
          ] }),
          /* @__PURE__ */ a3(Footer, { state: state2, act })
        ] })
      }
    )
  );
}

// extension/src/protocol/connection.ts
var SILENCE_MS = 1e4;
var SILENCE_BUSY_MS = 6e4;
function randomPrefix() {
  const words = crypto.getRandomValues(new Uint32Array(2));
  return [...words].map((word) => word.toString(36)).join("");
}
var Connection = class {
  #channel;
  #listener;
  #prefix = randomPrefix();
  #waiting = /* @__PURE__ */ new Map();
  #count = 0;
  #lastSeq = null;
  #helloInFlight = false;
  #trustAnyWelcome = false;
  #connected = true;
  #busy = false;
  #closed = false;
  #timer;
  constructor(channel2, listener) {
    this.#channel = channel2;
    this.#listener = listener;
    channel2.on("msg:custom", this.#onMessage);
    channel2.on("comm:close", this.#onClose);
    channel2.on("comm_live_update", this.#onLiveUpdate);
  }
  /** Ask for everything, unless that has been asked already. */
  hello() {
    if (this.#helloInFlight || this.#closed) return;
    this.#helloInFlight = true;
    void this.request({ kind: "hello" });
  }
  /** Send a request. The promise resolves exactly once and never rejects. */
  request(body) {
    this.#count += 1;
    const id = `${this.#prefix}-${this.#count}`;
    return new Promise((resolve) => {
      this.#waiting.set(id, { body, resolve });
      this.#listener.sent(id, body);
      try {
        this.#channel.send({ ...body, id });
        this.#watch(false);
      } catch {
        this.#lose();
      }
    });
  }
  /** Stop listening; what is still waited for is lost. */
  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#channel.off("msg:custom", this.#onMessage);
    this.#channel.off("comm:close", this.#onClose);
    this.#channel.off("comm_live_update", this.#onLiveUpdate);
    for (const id of [...this.#waiting.keys()]) this.#settle(id, { kind: "lost", id });
  }
  #onMessage = (content2, buffers) => {
    const message = decode(content2, buffers ?? []);
    if (message === null || this.#closed) return;
    this.#heard();
    if ("seq" in message && message.kind !== "welcome") {
      this.#onEvent(message);
    } else {
      this.#onAnswer(message);
    }
    this.#watch(true);
  };
  #onClose = () => {
    this.#lose();
  };
  // JupyterLab marks models when their kernel goes and when it is back, without saying which of the
  // two: believe the worst and ask.
  #onLiveUpdate = () => {
    this.#lose();
    this.hello();
  };
  #onEvent(message) {
    if (this.#lastSeq === null || message.seq <= this.#lastSeq) return;
    const gap = message.seq !== this.#lastSeq + 1;
    this.#lastSeq = message.seq;
    this.#busy = message.kind === "busy" || this.#busy && message.kind !== "snapshot";
    this.#listener.event(message);
    if (gap) this.hello();
  }
  #onAnswer(message) {
    if (message.kind === "failed") {
      this.#busy = false;
      this.#listener.failedAnywhere();
    }
    if (!this.#waiting.has(message.id)) return;
    if (message.kind === "welcome") this.#onWelcome(message);
    else if (this.#waiting.get(message.id)?.body.kind === "hello") this.#helloInFlight = false;
    this.#settle(message.id, message);
  }
  #onWelcome(message) {
    this.#helloInFlight = false;
    if (this.#lastSeq !== null && message.seq < this.#lastSeq && !this.#trustAnyWelcome) {
      this.#trustAnyWelcome = true;
      this.hello();
      return;
    }
    this.#trustAnyWelcome = false;
    this.#lastSeq = message.seq;
    this.#listener.welcome(message);
  }
  #settle(id, settlement) {
    const waiting = this.#waiting.get(id);
    if (waiting === void 0) return;
    this.#waiting.delete(id);
    this.#listener.settled(id, waiting.body, settlement);
    waiting.resolve(settlement);
  }
  #heard() {
    if (this.#connected) return;
    this.#connected = true;
    this.#listener.connected(true);
    this.hello();
  }
  #lose() {
    clearTimeout(this.#timer);
    this.#timer = void 0;
    this.#helloInFlight = false;
    this.#busy = false;
    if (this.#connected) {
      this.#connected = false;
      this.#listener.connected(false);
    }
    for (const id of [...this.#waiting.keys()]) this.#settle(id, { kind: "lost", id });
  }
  #watch(restart) {
    if (this.#timer !== void 0 && !restart) return;
    clearTimeout(this.#timer);
    this.#timer = void 0;
    if (this.#waiting.size === 0) return;
    this.#timer = setTimeout(() => this.#lose(), this.#busy ? SILENCE_BUSY_MS : SILENCE_MS);
  }
};

// extension/src/protocol/generated.ts
var PROTOCOL_VERSION = 1;

// extension/src/store/reducer.ts
var ACTS = /* @__PURE__ */ new Set(["click", "remove", "toggle", "undo", "redo", "clear", "set_base"]);
var NOT_DONE = {
  hello: "The board could not be shown.",
  remove: "The edit was not removed.",
  toggle: "The edit was not switched.",
  undo: "Nothing was undone.",
  redo: "Nothing was redone.",
  clear: "The edits were not cleared.",
  set_base: "The base run was not changed.",
  set_view: "The panel was not changed.",
  cancel_map: "The map was not stopped.",
  resume_map: "The map was not resumed.",
  verify: "The numbers were not verified.",
  copy_code: "The code was not written."
};
function notDone(body) {
  return body.kind === "click" ? `${body.site} was not edited.` : NOT_DONE[body.kind] ?? "That was not done.";
}
function agrees(view, patch) {
  return (patch.mode === void 0 || patch.mode === view.mode) && (patch.map === void 0 || patch.map === view.map) && (patch.prompt === void 0 || patch.prompt === view.prompt) && (patch.positions === void 0 || samePositions(patch.positions, view.positions));
}
function onSnapshot(state2, snapshot) {
  const moved2 = state2.snapshot === null || snapshot.revision !== state2.snapshot.revision;
  return {
    ...state2,
    snapshot,
    busy: null,
    clicks: state2.clicks.filter(
      (click2) => !click2.overtaken && (click2.shownFrom === null || click2.shownFrom > snapshot.revision)
    ),
    views: state2.views.filter((view) => !view.answered && !agrees(snapshot.view, view.patch)),
    // A step that worked outdates the last complaint and the last proof.
    trouble: moved2 ? null : state2.trouble,
    verified: moved2 ? null : state2.verified
  };
}
function carriedOver(map, last) {
  if (last === void 0 || scaleKey(last) !== scaleKey(map)) return null;
  if (last.effect.length !== map.effect.length || last.shape[1] !== map.shape[1]) return null;
  if (last.map_id === map.map_id) return last.before;
  return last.effect.map(
    (effect, i3) => last.known[i3] === 1 ? effect : last.before?.[i3] ?? Number.NaN
  );
}
function onMap(state2, map) {
  const key = scaleKey(map);
  const before = carriedOver(map, state2.maps[map.over]);
  return {
    ...state2,
    maps: { ...state2.maps, [map.over]: { ...map, before } },
    scales: { ...state2.scales, [key]: nextScale(map, state2.scales[key]) }
  };
}
function onEvent(state2, message) {
  switch (message.kind) {
    case "snapshot":
      return onSnapshot(state2, message.snapshot);
    case "busy":
      return { ...state2, busy: message.what };
    case "map":
      return onMap(state2, message);
  }
}
function onSent(state2, id, body) {
  const inFlight = ACTS.has(body.kind) ? [...state2.inFlight, id] : state2.inFlight;
  switch (body.kind) {
    case "click": {
      const click2 = {
        id,
        site: body.site,
        positions: body.positions ?? null,
        shownFrom: null,
        overtaken: false
      };
      return { ...state2, inFlight, clicks: [...state2.clicks, click2] };
    }
    case "set_view": {
      const { kind: _3, ...patch } = body;
      return { ...state2, views: [...state2.views, { id, patch, answered: false }] };
    }
    case "verify":
      return { ...state2, verifying: true };
    default:
      return { ...state2, inFlight };
  }
}
function settledClicks(state2, id, settlement) {
  const shown = state2.snapshot?.revision ?? -1;
  return state2.clicks.flatMap((click2) => {
    if (click2.id !== id) return [click2];
    if (settlement.kind === "done") {
      return settlement.revision <= shown ? [] : [{ ...click2, shownFrom: settlement.revision }];
    }
    return settlement.kind === "superseded" ? [{ ...click2, overtaken: true }] : [];
  });
}
function settledViews(state2, id, settlement) {
  return state2.views.flatMap((view) => {
    if (view.id !== id) return [view];
    const kept = settlement.kind === "done" || settlement.kind === "superseded";
    if (!kept || state2.snapshot !== null && agrees(state2.snapshot.view, view.patch)) return [];
    return [{ ...view, answered: true }];
  });
}
function onSettled(state2, id, body, settlement) {
  const inFlight = state2.inFlight.filter((other) => other !== id);
  let clicks = settledClicks(state2, id, settlement);
  if (inFlight.length === 0) clicks = clicks.filter((click2) => !click2.overtaken);
  const next = {
    ...state2,
    inFlight,
    clicks,
    views: settledViews(state2, id, settlement)
  };
  if (body.kind === "verify") next.verifying = false;
  if (settlement.kind === "failed") {
    next.trouble = { title: notDone(body), error: settlement.error };
    next.busy = null;
  }
  if (settlement.kind === "verified" && state2.snapshot !== null) {
    next.verified = { revision: state2.snapshot.revision, result: settlement };
  }
  return next;
}
function onWelcome(state2, { setup, snapshot }) {
  const fresh = onSnapshot({ ...state2, setup }, snapshot);
  if (setup.protocol === PROTOCOL_VERSION) return fresh;
  const error = {
    code: "protocol_version",
    message: `The kernel's Circuitboard ${setup.version} speaks protocol ${setup.protocol}, this panel ${PROTOCOL_VERSION}. Reload the page, then run the cell again.`,
    where: null
  };
  return { ...fresh, trouble: { title: "This panel is of another version.", error } };
}
function reduce(state2, action) {
  switch (action.type) {
    case "sent":
      return onSent(state2, action.id, action.body);
    case "settled":
      return onSettled(state2, action.id, action.body, action.settlement);
    case "welcome":
      return onWelcome(state2, action.message);
    case "event":
      return onEvent(state2, action.message);
    case "failed-anywhere":
      return { ...state2, busy: null };
    case "connected":
      return action.now ? { ...state2, connected: true, lostAt: null } : { ...state2, connected: false, lostAt: action.at, busy: null };
    case "dismiss":
      return { ...state2, trouble: null };
  }
}

// extension/src/store/store.ts
function createStore(channel2) {
  let state2 = INITIAL;
  const listeners = /* @__PURE__ */ new Set();
  const dispatch = (action) => {
    state2 = reduce(state2, action);
    for (const listener of listeners) listener();
  };
  const connection = new Connection(channel2, {
    sent: (id, body) => dispatch({ type: "sent", id, body }),
    settled: (id, body, settlement) => dispatch({ type: "settled", id, body, settlement }),
    welcome: (message) => dispatch({ type: "welcome", message }),
    event: (message) => dispatch({ type: "event", message }),
    failedAnywhere: () => dispatch({ type: "failed-anywhere" }),
    connected: (now) => dispatch({ type: "connected", now, at: Date.now() })
  });
  connection.hello();
  return {
    state: () => state2,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    request: (body) => connection.request(body),
    dismiss: () => dispatch({ type: "dismiss" }),
    close: () => connection.close()
  };
}

// extension/src/widget.tsx
function render({ model, el }) {
  const store = createStore(model);
  Q(/* @__PURE__ */ a3(Board, { store }), el);
  return () => {
    Q(null, el);
    store.close();
  };
}
var widget_default = { render };

// extension/dev/fake_kernel.ts
var IOI = [
  ["<|endoftext|>", "<|endoftext|>"],
  ["When", "When"],
  [" John", " John", "S1"],
  [" and", " and"],
  [" Mary", " Mary", "IO"],
  [" went", " went"],
  [" to", " to"],
  [" the", " the"],
  [" shops", " shops"],
  [",", ","],
  [" John", " Mary", "S2"],
  [" gave", " gave"],
  [" the", " the"],
  [" bag", " bag"],
  [" to", " to", "END"]
];
var GPT2_EFFECTS = {
  "9.9": -1.83,
  "9.6": -1.06,
  "10.0": -0.12,
  "8.6": -0.57,
  "10.10": -0.58,
  "10.6": -0.41,
  "9.0": -0.34,
  "10.7": 1.31,
  "11.10": 0.97,
  "7.9": -0.74,
  "8.10": -0.69,
  "7.3": -0.53,
  "5.5": -0.23,
  "3.0": -0.47
};
var DEFAULTS = {
  layers: 12,
  heads: 12,
  prompts: 1,
  hasCorrupted: true,
  model: "gpt2-small",
  tokens: IOI,
  effects: GPT2_EFFECTS,
  mute: /* @__PURE__ */ new Set()
};
function toReal(x2) {
  if (Number.isFinite(x2)) return { value: x2, special: null };
  return { value: null, special: Number.isNaN(x2) ? "nan" : x2 > 0 ? "inf" : "-inf" };
}
function noise(seed) {
  const x2 = Math.sin(seed * 12.9898 + 4.137) * 43758.5453;
  return (x2 - Math.floor(x2) - 0.5) * 0.35;
}
var FakeKernel = class {
  options;
  received = [];
  view = { mode: "zero", positions: null, map: "head", prompt: 0 };
  edits = [];
  base = "clean";
  revision = 0;
  seq = 0;
  mapId = 0;
  status = "done";
  known;
  #last = 0;
  #undo = [];
  #redo = [];
  #listeners = /* @__PURE__ */ new Map();
  constructor(options = {}) {
    this.options = { ...DEFAULTS, ...options };
    this.known = this.options.known;
    this.#last = this.#value(this.edits);
  }
  on(name, callback) {
    const set = this.#listeners.get(name) ?? /* @__PURE__ */ new Set();
    this.#listeners.set(name, set.add(callback));
  }
  off(name, callback) {
    this.#listeners.get(name)?.delete(callback);
  }
  listening() {
    return [...this.#listeners.values()].reduce((n2, set) => n2 + set.size, 0);
  }
  /** Let every view hear something. */
  emit(name, ...args) {
    for (const listener of this.#listeners.get(name) ?? []) {
      listener(...args);
    }
  }
  post(content2, buffers = []) {
    this.emit("msg:custom", JSON.parse(JSON.stringify(content2)), buffers);
  }
  send(content2) {
    const request = content2;
    this.received.push(request);
    if (!this.options.mute.has(request.kind)) this.#answer(request);
  }
  headEffect(layer, head) {
    return this.options.effects[`${layer}.${head}`] ?? noise(layer * 31 + head + 1);
  }
  residEffect(layer, position) {
    const tokens = this.options.tokens;
    const differs = tokens.findIndex(([a4, b]) => a4 !== b);
    if (position < differs) return 0;
    const share = layer / Math.max(1, this.options.layers - 1);
    if (position === differs) return -6.6 * (1 - share ** 2);
    if (position === tokens.length - 1) return -6.6 * share ** 3;
    return noise(layer * 57 + position);
  }
  setup() {
    const { layers, heads, prompts, tokens, hasCorrupted, model } = this.options;
    const row = {
      columns: tokens.map(([clean, corrupted, label]) => ({
        clean,
        corrupted: hasCorrupted ? corrupted : null,
        differs: hasCorrupted && clean !== corrupted,
        labels: label === void 0 ? [] : [label]
      })),
      answer: " Mary",
      wrong: " John"
    };
    return {
      protocol: PROTOCOL_VERSION,
      version: "0.1.0",
      model,
      dtype: "float32",
      device: "cpu",
      n_layers: layers,
      n_heads: heads,
      n_positions: tokens.length,
      prompts: Array.from({ length: prompts }, () => row),
      has_corrupted: hasCorrupted,
      modes: [
        { mode: "zero", refused: null },
        {
          mode: "patch",
          refused: hasCorrupted ? null : "Patching needs a corrupted prompt: give PromptPair one."
        }
      ],
      maps: ["head", "resid_pre"],
      engine: {
        tier: "replay",
        why: "block replay agreed with plain hooks on 6 random edits (largest error 4e-6)."
      }
    };
  }
  snapshot() {
    const value = this.#value(this.edits);
    const { prompts, hasCorrupted } = this.options;
    const values = Array.from(
      { length: prompts },
      (_3, i3) => value + (prompts > 1 ? noise(i3 + 3) * 5 : 0)
    );
    const shift = Math.max(0, Math.min(1, (3.6 - value) / 6.7));
    const token = (text, id, before, now) => ({
      token: text,
      token_id: id,
      prob: now,
      base_prob: before,
      logit: toReal(Math.log(now)),
      base_logit: toReal(Math.log(before))
    });
    return {
      revision: this.revision,
      base: this.base,
      metric: {
        name: "logit_diff",
        unit: "logits",
        value: toReal(value),
        values: values.map(toReal),
        stderr: prompts > 1 ? toReal(0.22) : null,
        change: this.revision === 0 ? null : toReal(value - this.#last),
        baselines: { clean: toReal(3.6), corrupted: hasCorrupted ? toReal(-3.1) : null }
      },
      edits: [...this.edits],
      can_undo: this.#undo.length > 0,
      can_redo: this.#redo.length > 0,
      top_tokens: {
        prompt: this.view.prompt,
        at: "END",
        rows: [
          token(" Mary", 5335, 0.684, 0.684 * (1 - shift)),
          token(" John", 1757, 0.019, 0.019 + 0.5 * shift),
          token(" the", 262, 0.041, 0.076),
          token(" them", 606, 0.022, 0.048),
          token(" her", 607, 0.027, 0.034),
          token(" a", 257, 0.011, 0.012)
        ]
      },
      view: this.view,
      latency_ms: 6.2
    };
  }
  /** Send the state to every view, as after a step. */
  announce() {
    this.seq += 1;
    this.post({ kind: "snapshot", seq: this.seq, snapshot: this.snapshot() });
  }
  /** Send the map that is being looked at to every view. */
  sendMap() {
    const { layers, heads, tokens } = this.options;
    const { map: over, mode, positions } = this.view;
    const columns = over === "head" ? heads : tokens.length;
    const total = layers * columns;
    const effect = new Float32Array(total);
    for (let i3 = 0; i3 < total; i3 += 1) {
      const row = Math.floor(i3 / columns);
      effect[i3] = over === "head" ? this.headEffect(row, i3 % columns) : this.residEffect(row, i3 % columns);
    }
    const order = [...effect.keys()].sort(
      (a4, b) => Math.abs(effect[b] ?? 0) - Math.abs(effect[a4] ?? 0)
    );
    const done = Math.min(total, this.known ?? total);
    const known = new Uint8Array(total);
    for (const i3 of order.slice(0, done)) known[i3] = 1;
    this.seq += 1;
    const event = {
      kind: "map",
      seq: this.seq,
      map_id: this.mapId,
      revision: this.revision,
      over,
      how: mode,
      base: this.base,
      positions,
      n_edits: this.edits.length,
      shape: [layers, columns],
      done,
      total,
      status: this.status,
      error: null,
      elapsed_ms: 62
    };
    this.post(event, [new DataView(effect.buffer), new DataView(known.buffer)]);
  }
  #value(edits) {
    const start = this.base === "clean" ? 3.6 : -3.1;
    return edits.reduce(
      (value, edit) => value + (edit.enabled ? edit.effect?.value ?? 0 : 0),
      start
    );
  }
  #row(site, positions) {
    const [layer = 0, head = null] = site.startsWith("resid_pre") ? [Number(site.split(" ")[1])] : site.split(".").map(Number);
    const effect = head === null ? this.residEffect(layer, positions?.[0] ?? 0) : this.headEffect(layer, head);
    const labels = positions?.map((p3) => this.options.tokens[p3]?.[2] ?? String(p3)).join(", ");
    return {
      site,
      kind: head === null ? "resid_pre" : "head",
      layer,
      head,
      how: this.view.mode,
      strength: null,
      positions,
      at: labels ?? "all",
      enabled: true,
      effect: toReal(effect),
      norm_before: toReal(31.4),
      norm_change: toReal(effect === 0 ? 0 : 18.2 + layer)
    };
  }
  #step(edits) {
    this.#undo.push(this.edits);
    this.#redo = [];
    this.#set(edits);
  }
  #set(edits) {
    this.#last = this.#value(this.edits);
    this.edits = edits;
    this.revision += 1;
  }
  #act(request) {
    switch (request.kind) {
      case "click": {
        const same2 = this.edits.filter((edit) => edit.site === request.site);
        const positions = request.positions ?? null;
        this.#step(
          same2.length > 0 ? this.edits.filter((edit) => edit.site !== request.site) : [...this.edits, this.#row(request.site, positions)]
        );
        break;
      }
      case "remove":
        this.#step(this.edits.filter((_3, i3) => i3 !== request.index));
        break;
      case "toggle":
        this.#step(
          this.edits.map(
            (edit, i3) => i3 === request.index ? { ...edit, enabled: !edit.enabled, norm_change: edit.enabled ? null : toReal(20) } : edit
          )
        );
        break;
      case "undo":
        this.#redo.push(this.edits);
        this.#set(this.#undo.pop() ?? this.edits);
        break;
      case "redo":
        this.#undo.push(this.edits);
        this.#set(this.#redo.pop() ?? this.edits);
        break;
      case "clear":
        this.#step([]);
        break;
      case "set_base":
        this.base = request.base;
        this.revision += 1;
        break;
      case "set_view": {
        const { kind: _3, id: __, ...patch } = request;
        this.view = { ...this.view, ...patch };
        break;
      }
      case "cancel_map":
        this.status = "cancelled";
        break;
      case "resume_map":
        this.status = "done";
        this.known = void 0;
        break;
      default:
        break;
    }
  }
  #answer(request) {
    const { id } = request;
    switch (request.kind) {
      case "hello":
        this.post({
          kind: "welcome",
          id,
          seq: this.seq,
          setup: this.setup(),
          snapshot: this.snapshot()
        });
        break;
      case "verify":
        this.post({
          kind: "verified",
          id,
          max_abs_error: toReal(38e-7),
          tolerance: 1e-4,
          ok: true,
          tier: "replay"
        });
        return;
      case "copy_code":
        this.post({
          kind: "code",
          id,
          text: "board = cb.Board(model, pair)\nboard.edit(cb.head(9, 9).zero())\n"
        });
        return;
      default:
        this.#act(request);
        this.mapId += 1;
        this.announce();
        this.post({ kind: "done", id, revision: this.revision });
    }
    this.sendMap();
  }
};

// extension/dev/page.ts
var query = new URLSearchParams(location.search);
var state = query.get("state") ?? "edited";
var MODELS = {
  gpt2: {},
  demo: {
    layers: 4,
    heads: 8,
    model: "demo",
    effects: { "0.3": -1.2, "1.1": -3.4, "2.5": 0.8, "3.1": -2.2, "3.6": 0.4 },
    tokens: IOI.slice(1)
  },
  smollm2: {
    layers: 30,
    heads: 9,
    model: "smollm2-135m",
    effects: { "23.3": -3.1, "20.1": -1.1, "26.4": 0.9, "12.2": -0.6 },
    tokens: IOI.slice(1)
  },
  long: {
    tokens: [...IOI, ...IOI, ...IOI, ...IOI].map(
      ([a4, b, c3]) => c3 === "END" || c3 === "S2" ? [a4, b] : [a4, a4]
    )
  },
  dataset: { prompts: 8 },
  single: { hasCorrupted: false }
};
document.body.dataset.jpThemeLight = String(query.get("theme") !== "dark");
var slot = document.getElementById("slot");
if (slot === null) throw new Error("no slot");
slot.style.width = `${query.get("w") ?? 1100}px`;
var kernel = new FakeKernel({
  ...DEFAULTS,
  ...MODELS[query.get("model") ?? "gpt2"],
  ...state === "loading" ? { mute: /* @__PURE__ */ new Set(["hello"]) } : {}
});
kernel.view = { ...kernel.view, map: query.get("map") === "resid_pre" ? "resid_pre" : "head" };
if (state === "computing") {
  kernel.known = 60;
  kernel.status = "computing";
}
widget_default.render({ model: kernel, el: slot });
var click = (selector) => slot.querySelector(selector)?.click();
var script = {
  empty: () => void 0,
  loading: () => void 0,
  edited: () => {
    for (const site of [
      [9, 9],
      [10, 0],
      [5, 5],
      [2, 2]
    ])
      click(`[data-cb="head"][data-layer="${site[0]}"][data-head="${site[1]}"]`);
    for (const cell of [
      [5, 10],
      [9, 14]
    ])
      click(`[data-cb="cell"][data-layer="${cell[0]}"][data-pos="${cell[1]}"]`);
  },
  computing: () => script.edited?.(),
  running: () => {
    script.edited?.();
    kernel.seq += 1;
    kernel.post({ kind: "busy", seq: kernel.seq, what: "zero 9.6" });
    kernel.options.mute.add("click");
    click('[data-layer="9"][data-head="6"]');
    kernel.revision += 1;
  },
  stale: () => {
    script.edited?.();
    kernel.revision += 1;
    kernel.announce();
  },
  cancelled: () => {
    script.edited?.();
    kernel.known = 61;
    kernel.status = "cancelled";
    kernel.sendMap();
  },
  error: () => {
    script.edited?.();
    kernel.options.mute.add("click");
    click('[data-layer="10"][data-head="7"]');
    const last = kernel.received.at(-1);
    kernel.post({
      kind: "failed",
      id: last?.id,
      error: {
        code: "out_of_memory",
        message: "Out of memory: one cell needs 3.1 GB, 0.4 GB is free. The board is unchanged.",
        where: "10.7"
      }
    });
  },
  disconnected: () => {
    script.edited?.();
    kernel.emit("comm:close");
  },
  off_scale: () => {
    kernel.options.effects = { "9.9": -9.5 };
    click('[data-layer="9"][data-head="9"]');
  },
  positions: () => {
    click('[data-cb="token"][data-pos="10"]');
    kernel.view = { ...kernel.view, positions: [10, 14] };
    kernel.announce();
    kernel.sendMap();
    script.edited?.();
    click('[data-cb="edit-toggle"]');
    click('[data-cb="verify"]');
  },
  nan: () => {
    kernel.headEffect = (layer, head) => (layer + head) % 5 === 0 ? Number.NaN : layer === 3 ? Number.POSITIVE_INFINITY : 0.1 * head;
    kernel.mapId += 1;
    kernel.sendMap();
  }
};
setTimeout(() => script[state]?.(), 20);
