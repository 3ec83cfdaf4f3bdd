"""Functions that stand beside the kernels in an object, so that it needs none from outside."""

from __future__ import annotations

# fmod: the mantissa of x, shifted on by the difference of the exponents a few bits at a time, modulo that of y
FMOD = """\
define internal double @kc.fmod(double %x, double %y) nounwind "no-builtins" {
entry:
  %xb = bitcast double %x to i64
  %yb = bitcast double %y to i64
  %ax = and i64 %xb, 9223372036854775807
  %ay = and i64 %yb, 9223372036854775807
  %sign = and i64 %xb, -9223372036854775808
  %y0 = icmp eq i64 %ay, 0
  %yn = icmp ugt i64 %ay, 9218868437227405312
  %xi = icmp uge i64 %ax, 9218868437227405312
  %b0 = or i1 %y0, %yn
  %bad = or i1 %b0, %xi
  br i1 %bad, label %nothing, label %finite
nothing:
  ret double 0x7FF8000000000000
finite:
  %small = icmp ult i64 %ax, %ay
  br i1 %small, label %same, label %divide
same:
  ret double %x
divide:
  %ex0 = lshr i64 %ax, 52
  %ey0 = lshr i64 %ay, 52
  %mx0 = and i64 %ax, 4503599627370495
  %my0 = and i64 %ay, 4503599627370495
  %xd = icmp eq i64 %ex0, 0
  %yd = icmp eq i64 %ey0, 0
  %mx1 = or i64 %mx0, 4503599627370496
  %my1 = or i64 %my0, 4503599627370496
  %mx = select i1 %xd, i64 %mx0, i64 %mx1
  %my = select i1 %yd, i64 %my0, i64 %my1
  %ex = select i1 %xd, i64 1, i64 %ex0
  %ey = select i1 %yd, i64 1, i64 %ey0
  %r0 = urem i64 %mx, %my
  %d0 = sub i64 %ex, %ey
  br label %loop
loop:
  %r = phi i64 [ %r0, %divide ], [ %r1, %turn ]
  %d = phi i64 [ %d0, %divide ], [ %d1, %turn ]
  %more = icmp ne i64 %d, 0
  br i1 %more, label %turn, label %done
turn:
  %few = icmp ult i64 %d, 10
  %step = select i1 %few, i64 %d, i64 10
  %up = shl i64 %r, %step
  %r1 = urem i64 %up, %my
  %d1 = sub i64 %d, %step
  br label %loop
done:
  %normal = icmp ugt i64 %ey, 52
  %e0 = sub i64 %ey, 52
  %e1 = shl i64 %e0, 52
  %s0 = sub i64 %ey, 1
  %s1 = shl i64 1, %s0
  %pb = select i1 %normal, i64 %e1, i64 %s1
  %p = bitcast i64 %pb to double
  %rf = uitofp i64 %r to double
  %v = fmul double %rf, %p
  %vb = bitcast double %v to i64
  %ob = or i64 %vb, %sign
  %o = bitcast i64 %ob to double
  ret double %o
}
"""

# The bodies that LLVM's own calls of these names bind to. Kernels copy in loops of their own; this is for what is left.
MEMORY_FUNCTIONS = """\
define internal ptr @memcpy(ptr noalias %to, ptr noalias %from, i64 %count) nounwind "no-builtins" {
entry:
  %chunks = and i64 %count, -32
  %any = icmp ne i64 %chunks, 0
  br i1 %any, label %wide, label %rest
wide:
  %i = phi i64 [ 0, %entry ], [ %i1, %wide ]
  %p = getelementptr i8, ptr %from, i64 %i
  %q = getelementptr i8, ptr %to, i64 %i
  %v = load <4 x i64>, ptr %p, align 1
  store <4 x i64> %v, ptr %q, align 1
  %i1 = add i64 %i, 32
  %more = icmp ult i64 %i1, %chunks
  br i1 %more, label %wide, label %rest
rest:
  %j0 = phi i64 [ 0, %entry ], [ %chunks, %wide ]
  br label %head
head:
  %j = phi i64 [ %j0, %rest ], [ %j1, %one ]
  %left = icmp ult i64 %j, %count
  br i1 %left, label %one, label %end
one:
  %pp = getelementptr i8, ptr %from, i64 %j
  %qq = getelementptr i8, ptr %to, i64 %j
  %b = load i8, ptr %pp
  store i8 %b, ptr %qq
  %j1 = add i64 %j, 1
  br label %head
end:
  ret ptr %to
}

define internal ptr @memmove(ptr %to, ptr %from, i64 %count) nounwind "no-builtins" {
entry:
  %f = ptrtoint ptr %from to i64
  %t = ptrtoint ptr %to to i64
  %gap = sub i64 %t, %f
  %back = icmp ult i64 %gap, %count
  br i1 %back, label %down, label %up
up:
  %i = phi i64 [ 0, %entry ], [ %i1, %up1 ]
  %c = icmp ult i64 %i, %count
  br i1 %c, label %up1, label %end
up1:
  %p = getelementptr i8, ptr %from, i64 %i
  %q = getelementptr i8, ptr %to, i64 %i
  %v = load i8, ptr %p
  store i8 %v, ptr %q
  %i1 = add i64 %i, 1
  br label %up
down:
  %j = phi i64 [ %count, %entry ], [ %j1, %down1 ]
  %d = icmp ne i64 %j, 0
  br i1 %d, label %down1, label %end
down1:
  %j1 = sub i64 %j, 1
  %pp = getelementptr i8, ptr %from, i64 %j1
  %qq = getelementptr i8, ptr %to, i64 %j1
  %w = load i8, ptr %pp
  store i8 %w, ptr %qq
  br label %down
end:
  ret ptr %to
}

define internal ptr @memset(ptr %to, i32 %value, i64 %count) nounwind "no-builtins" {
entry:
  %b = trunc i32 %value to i8
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %i1, %one ]
  %c = icmp ult i64 %i, %count
  br i1 %c, label %one, label %end
one:
  %q = getelementptr i8, ptr %to, i64 %i
  store i8 %b, ptr %q
  %i1 = add i64 %i, 1
  br label %head
end:
  ret ptr %to
}
@llvm.compiler.used = appending global [3 x ptr] [ptr @memcpy, ptr @memmove, ptr @memset], section "llvm.metadata"
"""
