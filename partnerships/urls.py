"""Every address outside the admin. Names are flat: `agreement_detail`, `milestone_step`, ..."""

from django.contrib.auth import views as auth
from django.urls import URLPattern, URLResolver, path

from partnerships.views import (
    accounts,
    activities,
    agreements,
    documents,
    events,
    health,
    milestones,
    my_work,
    organizations,
    people,
    search,
    sources,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", my_work.my_work, name="my_work"),
    path("agreements/", agreements.AgreementList.as_view(), name="agreement_list"),
    path("agreements/<int:pk>/", agreements.agreement_detail, name="agreement_detail"),
    path("agreements/<int:pk>/follow-up/", activities.activity_add, name="activity_add"),
    path("agreements/<int:pk>/<slug:step>/", agreements.agreement_step, name="agreement_step"),
    path("organizations/", organizations.OrganizationList.as_view(), name="organization_list"),
    path("organizations/<int:pk>/", organizations.organization_detail, name="organization_detail"),
    path("activities/", activities.ActivityList.as_view(), name="activity_list"),
    path("activities/<int:pk>/", activities.activity_detail, name="activity_detail"),
    path("activities/<int:pk>/<slug:step>/", activities.activity_step, name="activity_step"),
    path("milestones/", milestones.MilestoneList.as_view(), name="milestone_list"),
    path("milestones/<int:pk>/", milestones.milestone_detail, name="milestone_detail"),
    path("milestones/<int:pk>/<slug:step>/", milestones.milestone_step, name="milestone_step"),
    path("events/", events.EventList.as_view(), name="event_list"),
    path("events/<int:pk>/", events.event_detail, name="event_detail"),
    path("sources/<int:pk>/", sources.source_detail, name="source_detail"),
    path("documents/<int:pk>/versions/<int:number>/", documents.document_download, name="document_download"),
    path("search/", search.search, name="search"),
    path("me/", people.me, name="me"),
    path("me/language/", people.my_language, name="my_language"),
    path("login/", accounts.Login.as_view(), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("password/change/", auth.PasswordChangeView.as_view(), name="password_change"),
    path("password/change/done/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("password/reset/", accounts.PasswordReset.as_view(), name="password_reset"),
    path("password/reset/sent/", auth.PasswordResetDoneView.as_view(), name="password_reset_done"),
    path("password/reset/<uidb64>/<token>/", auth.PasswordResetConfirmView.as_view(), name="password_reset_confirm"),
    path("password/reset/done/", auth.PasswordResetCompleteView.as_view(), name="password_reset_complete"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
